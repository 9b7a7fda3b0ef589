//! A host process under measurement, and the system's figures of it and its plugins.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::build::Programs;
use crate::shared::{AUTO_MTLS, FLAVOUR, Flavour, Outcome, PROGRAM};

/// Which CPUs the processes of a stack may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cores {
    /// All of them the same one: what is left is the work of the software.
    One,
    /// The host one, its plugins another: every message wakes up a CPU.
    OneEach,
    /// Any.
    All,
}

/// A host process, which has its plugins. On drop it is asked to end, and ends them.
pub(crate) struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    plugins: Vec<u32>,
}

/// What a host answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    pub(crate) took: Duration,
    pub(crate) allocations: u64,
}

impl Process {
    pub(crate) fn start(programs: &Programs, flavour: Flavour) -> Outcome<Self> {
        let mut child = Command::new(&programs.host)
            .env(FLAVOUR, flavour.name())
            .env(PROGRAM, &programs.plugin)
            .envs(programs.auto_mtls.then_some((AUTO_MTLS, "1")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|why| format!("{}: {why}", programs.host.display()))?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (stdin, stdout) = pipes.ok_or("no pipes")?;
        let mut this = Self { child, stdin: Some(stdin), stdout: BufReader::new(stdout), plugins: Vec::new() };
        this.answer()?;
        Ok(this)
    }

    /// Has the host run `command`.
    pub(crate) fn ask(&mut self, command: &str) -> Outcome<Answer> {
        self.stdin.as_mut().ok_or("no stdin")?.write_all(format!("{command}\n").as_bytes())?;
        self.answer().map_err(|why| format!("{command}: {why}").into())
    }

    fn answer(&mut self) -> Outcome<Answer> {
        let mut line = String::new();
        self.stdout.read_line(&mut line)?;
        let mut words = line.split_whitespace();
        let mut word = || words.next().ok_or("the host gave no answer");
        let answer = Answer { took: Duration::from_nanos(word()?.parse()?), allocations: word()?.parse()? };
        self.plugins = word()?.split(',').map(str::parse).collect::<Result<_, _>>()?;
        Ok(answer)
    }

    fn all(&self) -> impl Iterator<Item = u32> {
        std::iter::once(self.child.id()).chain(self.plugins.iter().copied())
    }

    /// The CPU time of all processes of the stack so far.
    pub(crate) fn processor_time(&self) -> Outcome<Duration> {
        let mut nanos = 0;
        for thread in self.all().flat_map(threads) {
            // One that ends meanwhile takes its time with it.
            let stat = fs::read_to_string(thread.join("schedstat")).unwrap_or_default();
            nanos += stat.split(' ').next().and_then(|first| first.parse::<u64>().ok()).unwrap_or(0);
        }
        Ok(Duration::from_nanos(nanos))
    }

    pub(crate) fn place(&self, cores: Cores) -> Outcome<()> {
        let all = sched_getaffinity(None)?;
        let mut usable = (0..CpuSet::MAX_CPU).filter(|cpu| all.is_set(*cpu));
        let first = usable.next().unwrap_or(0);
        let second = usable.next().unwrap_or(first);
        for pid in self.all() {
            let mut set = CpuSet::new();
            match cores {
                Cores::All => set = all,
                Cores::OneEach if pid != self.child.id() => set.set(second),
                Cores::One | Cores::OneEach => set.set(first),
            }
            for thread in threads(pid) {
                let thread = thread.file_name().and_then(|name| name.to_str()?.parse().ok());
                sched_setaffinity(thread.and_then(Pid::from_raw), &set)?;
            }
        }
        Ok(())
    }

    /// The memory of the host, and of its first plugin, in bytes: private pages, and all resident ones, which include
    /// those of the program's file and of libraries.
    pub(crate) fn memory(&self) -> Outcome<[[f64; 2]; 2]> {
        Ok([memory(self.child.id())?, memory(*self.plugins.first().ok_or("no plugin")?)?])
    }

    /// The most that the host and its first plugin have ever had resident, in bytes.
    pub(crate) fn peaks(&self) -> Outcome<[f64; 2]> {
        let peak = |pid: u32| kib(&fs::read_to_string(format!("/proc/{pid}/status"))?, "VmHWM:");
        Ok([peak(self.child.id())?, peak(*self.plugins.first().ok_or("no plugin")?)?])
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let until = Instant::now() + Duration::from_secs(5);
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn threads(pid: u32) -> Vec<PathBuf> {
    fs::read_dir(format!("/proc/{pid}/task"))
        .map(|tasks| tasks.flatten().map(|task| task.path()).collect())
        .unwrap_or_default()
}

fn memory(pid: u32) -> Outcome<[f64; 2]> {
    let maps = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    Ok([kib(&maps, "Private_Dirty:")?, kib(&maps, "Rss:")?])
}

/// The value of a line such as `Rss:  4096 kB`, in bytes.
fn kib(text: &str, name: &str) -> Outcome<f64> {
    let line = text.lines().find(|line| line.starts_with(name)).ok_or_else(|| format!("no {name}"))?;
    Ok(line.split_whitespace().nth(1).ok_or("no value")?.parse::<f64>()? * 1024.0)
}
