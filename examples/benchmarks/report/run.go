package report

import (
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// A Run is what figures depend on, beside the code.
type Run struct {
	Date    string            `json:"date"`    // UTC, the day
	Command string            `json:"command"` // by which it is repeated
	CPU     string            `json:"cpu"`     // the model
	Cores   int               `json:"cores"`   // GOMAXPROCS
	Go      string            `json:"go"`      // version
	OS      string            `json:"os"`
	Modules map[string]string `json:"modules"` // versions of what was measured
}

// Describe returns the run that this program is, started by command at this time.
func Describe(command string, now time.Time) Run {
	return Run{
		Date:    now.UTC().Format(time.DateOnly),
		Command: command,
		CPU:     field("/proc/cpuinfo", "model name", ":"),
		Cores:   runtime.GOMAXPROCS(0),
		Go:      runtime.Version(),
		OS:      system(),
		Modules: modules(),
	}
}

// measured are the modules whose versions matter.
func measured() []string {
	return []string{
		"github.com/alexedwards/scs/v2", "github.com/gin-contrib/sessions",
		"github.com/labstack/echo-contrib", "github.com/gorilla/sessions",
		"github.com/quasoft/memstore", "github.com/go-chi/chi/v5", "github.com/gin-gonic/gin",
		"github.com/labstack/echo/v4", "github.com/gofiber/fiber/v2", "github.com/gofiber/fiber/v3",
		"github.com/valyala/fasthttp", "github.com/maypok86/otter/v2",
		"github.com/allegro/bigcache/v3", "github.com/coocood/freecache",
	}
}

func modules() map[string]string {
	versions := make(map[string]string)
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return versions
	}
	for _, path := range measured() {
		for _, dependency := range info.Deps {
			if dependency.Path == path {
				versions[path] = dependency.Version
			}
		}
	}
	return versions
}

// system is the operating system's name, as well as it can be told.
func system() string {
	platform := runtime.GOOS + "/" + runtime.GOARCH
	if name := field("/etc/os-release", "PRETTY_NAME", "="); name != "" {
		return name + ", " + platform
	}
	return platform
}

// field returns the value of the first line of a file that begins with name; "" if there is none.
func field(file, name, separator string) string {
	raw, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(raw)) {
		key, value, found := strings.Cut(line, separator)
		if found && strings.TrimSpace(key) == name {
			return strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	return ""
}
