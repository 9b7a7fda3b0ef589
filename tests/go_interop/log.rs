pub(crate) fn install() {}
