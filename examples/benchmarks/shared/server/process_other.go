//go:build !linux

package server

import (
	"os/exec"
	"time"
)

func launch(command *exec.Cmd) error { return command.Start() }

func disown(*exec.Cmd) {}

func own(string) error { return nil }

// CPU is the processor time that the server has taken until now. It is 0 where the system does not
// tell, as here.
func (s *Server) CPU() time.Duration { return 0 }
