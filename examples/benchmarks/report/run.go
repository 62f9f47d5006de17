package report

import (
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// A Run is what figures depend on.
type Run struct {
	Commit  string            `json:"commit,omitempty"` // of this repository; "" if unknown
	Date    string            `json:"date"`             // UTC, the day
	Command string            `json:"command"`          // by which it is repeated
	CPU     string            `json:"cpu"`              // the model
	Procs   int               `json:"procs"`            // GOMAXPROCS
	Go      string            `json:"go"`               // version
	OS      string            `json:"os"`
	Modules map[string]string `json:"modules"` // versions of what was measured
}

// Describe returns the run that this program is, built from commit and started by command at this
// time.
func Describe(command, commit string, now time.Time) Run {
	return Run{
		Commit:  commit,
		Date:    now.UTC().Format(time.DateOnly),
		Command: command,
		CPU:     field("/proc/cpuinfo", "model name", ":"),
		Procs:   runtime.GOMAXPROCS(0),
		Go:      runtime.Version(),
		OS:      system(),
		Modules: modules(),
	}
}

// Commit returns the commit that this program was built from, as the build has noted it or, since
// go run notes none, as git tells it of the working directory; "" if nobody knows. Results of other
// parts, and what is rendered of them, are no changes.
func Commit() string {
	noted := make(map[string]string)
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			noted[setting.Key] = setting.Value
		}
	}
	if revision := noted["vcs.revision"]; revision != "" {
		return commit(revision, noted["vcs.modified"] == "true")
	}
	revision, err := exec.Command("git", "rev-parse", "HEAD").Output()
	if err != nil {
		return ""
	}
	changes, err := exec.Command("git", "status", "--porcelain",
		":(top)*.go", ":(top)*.mod", ":(top)*.sum").Output()
	return commit(strings.TrimSpace(string(revision)), err != nil || len(changes) != 0)
}

// commit is short, as it is for readers.
func commit(revision string, modified bool) string {
	revision = revision[:min(12, len(revision))]
	if modified {
		return revision + " with changes"
	}
	return revision
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

// driven are those of stores that outlive the process.
func driven() []string {
	return []string{
		"github.com/redis/rueidis", "github.com/redis/go-redis/v9",
		"github.com/alexedwards/scs/goredisstore", "github.com/jackc/pgx/v5",
		"github.com/alexedwards/scs/pgxstore", "modernc.org/sqlite",
	}
}

// drivers is a run of which only these versions are told.
func drivers(r Run) Run {
	all := r.Modules
	r.Modules = make(map[string]string)
	for _, path := range driven() {
		if version, ok := all[path]; ok {
			r.Modules[path] = version
		}
	}
	return r
}

func modules() map[string]string {
	versions := make(map[string]string)
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return versions
	}
	for _, path := range append(measured(), driven()...) {
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
