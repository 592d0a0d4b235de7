// Command sekisho is a phishing-defence desk for the people who look after
// Microsoft 365.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/sekisho/sekisho/internal/app"
)

// version is set at build time: -ldflags "-X main.version=1.2.3".
var version = ""

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	status := app.Main(ctx, os.Args[1:], version)
	stop()
	os.Exit(status)
}
