package program

import (
	"os/exec"
	"syscall"
)

// endWithTest makes the system end a program if the test's process dies before it could do so.
func endWithTest(program *exec.Cmd) {
	program.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
