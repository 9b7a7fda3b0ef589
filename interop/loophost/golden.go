package main

import "context"

func golden(context.Context) {}
