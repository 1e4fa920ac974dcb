// usage: measure LIMIT COMMAND [ARGUMENT…]
// Runs COMMAND and writes what it took to file descriptor 3, as JSON: wall, user and system in seconds (with those of the
// children it has waited for), peak resident set in bytes, exit code. Small itself, since the kernel counts the memory of the
// process that a command was forked from as the command's own. A command that takes longer than LIMIT (as Go writes
// durations) is killed.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	limit, err := time.ParseDuration(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(127)
	}
	until, stop := context.WithTimeout(context.Background(), limit)
	defer stop()
	command := exec.CommandContext(until, os.Args[2], os.Args[3:]...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	// Ctrl-C reaches the command itself.
	signal.Ignore(os.Interrupt)
	began := time.Now()
	err = command.Run()
	wall := time.Since(began)
	if command.ProcessState == nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(127)
	}
	usage := command.ProcessState.SysUsage().(*syscall.Rusage)
	json.NewEncoder(os.NewFile(3, "report")).Encode(map[string]any{
		"wall":     wall.Seconds(),
		"user":     command.ProcessState.UserTime().Seconds(),
		"system":   command.ProcessState.SystemTime().Seconds(),
		"peakRss":  usage.Maxrss * 1024,
		"exitCode": command.ProcessState.ExitCode(),
	})
}
