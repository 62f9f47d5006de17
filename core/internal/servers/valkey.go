package servers

import (
	"errors"
	"os"
	"path/filepath"
)

// valkeyScript fetches Debian's packages of Valkey and unpacks them below a directory, without
// installing them. In Debian 12 they are in the backports, which a machine need not have among its
// sources: apt-get is given a list of its own, made from where the machine takes Debian itself. On
// other systems Valkey is looked for in the machine's own sources.
//
// The directory appears at once and whole, so that what is there can be used.
const valkeyScript = `
home=$1
if [ -e "$home" ]; then exit 0; fi
mkdir -p "$(dirname "$home")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
chmod 755 "$work" # apt-get fetches as a user of its own
apt="apt-get -o DPkg::Lock::Timeout=300"
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
if [ "$codename" = bookworm ]; then
	mirror=$(apt-get indextargets --format '$(CREATED_BY) $(CODENAME) $(REPO_URI)' |
		sed -n 's/^Packages bookworm //p' | head -n 1)
	if [ -z "$mirror" ]; then echo "the sources of Debian itself are not known" >&2; exit 1; fi
	keys=/usr/share/keyrings/debian-archive-keyring.gpg
	signed=
	if [ -e $keys ]; then signed="[signed-by=$keys] "; fi
	mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
	echo "deb $signed$mirror bookworm-backports main" > "$work/sources.list"
	apt="$apt -o Dir::Etc::sourcelist=$work/sources.list -o Dir::Etc::sourceparts=/dev/null"
	apt="$apt -o Dir::State::lists=$work/lists -o Dir::Cache=$work/cache -o APT::Sandbox::User=root"
	$apt update
fi
cd "$work"
$apt download valkey-server valkey-tools
for package in *.deb; do dpkg-deb -x "$package" "$work/root"; done
[ -x "$work/root/usr/bin/valkey-server" ] || [ -L "$work/root/usr/bin/valkey-server" ]
rm -rf "$home.new"
cp -a "$work/root" "$home.new"
mv -T "$home.new" "$home"
`

// valkeyHome is where an unpacked Valkey is kept, so that only a machine's first run fetches it.
func valkeyHome() string {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	return filepath.Join(cache, "sessionserverstore", "valkey")
}

// unpackedValkey is the server in valkeyHome, if it is there and runs on this machine.
func unpackedValkey() string {
	path := filepath.Join(valkeyHome(), "usr", "bin", "valkey-server")
	if version(path) == "" {
		return ""
	}
	return path
}

// unpackValkey makes unpackedValkey find one. The libraries that Valkey needs are a part of Debian
// that nobody minds to have installed.
func unpackValkey() error {
	if err := underLock(valkeyScript, valkeyHome()); err != nil {
		return err
	}
	if unpackedValkey() != "" {
		return nil
	}
	path := filepath.Join(valkeyHome(), "usr", "bin", "valkey-server")
	if err := install("'"+path+"' --version", "libatomic1", "libjemalloc2", "liblzf1"); err != nil {
		return err
	}
	if unpackedValkey() == "" {
		return errors.New("the unpacked valkey-server does not run")
	}
	return nil
}
