package browser

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// A process is one of the operating system's. Its start time tells it from a later one with the
// same number.
type process struct {
	pid, parent int
	name, start string
	zombie      bool
}

// runs reports whether the process is still there. A zombie is not: it has ended, and only waits to
// be counted by its parent, which in a container may never come to it.
func (p process) runs() bool {
	now, ok := readProcess(p.pid)
	return ok && now.start == p.start && !now.zombie
}

// String names the process in messages.
func (p process) String() string { return fmt.Sprintf("process %d (%s)", p.pid, p.name) }

// descendants returns a process and all that come from it. Where there is no /proc it finds none.
func descendants(pid int) []process {
	entries, _ := os.ReadDir("/proc") // without one, the list is empty
	children := map[int][]process{}
	for _, entry := range entries {
		number, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if p, ok := readProcess(number); ok {
			children[p.parent] = append(children[p.parent], p)
		}
	}
	var family []process
	if p, ok := readProcess(pid); ok {
		family = append(family, p)
	}
	for i := 0; i < len(family); i++ {
		family = append(family, children[family[i].pid]...)
	}
	return family
}

// readProcess reads /proc/<pid>/stat: number, name in parentheses, state, parent, and the start
// time as the 22nd field (proc(5)).
func readProcess(pid int) (process, bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return process{}, false
	}
	begin, end := strings.IndexByte(string(text), '('), strings.LastIndexByte(string(text), ')')
	if begin < 0 || end < begin {
		return process{}, false
	}
	fields := strings.Fields(string(text[end+1:]))
	if len(fields) < 20 {
		return process{}, false
	}
	parent, err := strconv.Atoi(fields[1])
	return process{
		pid: pid, parent: parent, name: string(text[begin+1 : end]), start: fields[19],
		zombie: fields[0] == "Z" || fields[0] == "X",
	}, err == nil
}
