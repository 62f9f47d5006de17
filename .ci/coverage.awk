# Reads profiles of `go test -coverprofile` and prints, for each package, how much of it ran: of its
# statements, as Go counts them, and of the lines on which they stand. Fails if a package that the
# variable `must` names (import paths, separated by blanks) or one below core/internal has less than
# `floor` percent of either, or if one that `must` names is in no profile at all.
#
# A block may be in a profile once for each test binary; it ran if it ran in one of them.

$1 != "mode:" {
	key = $1
	statements[key] = $2
	if ($3 > 0) ran[key] = 1
}

END {
	for (key in statements) {
		# key is path/file.go:line.column,line.column
		colon = index(key, ":")
		file = substr(key, 1, colon - 1)
		pkg = file
		sub(/\/[^\/]*$/, "", pkg)
		all[pkg] += statements[key]
		if (key in ran) hit[pkg] += statements[key]
		split(substr(key, colon + 1), ends, /[.,]/)
		for (n = ends[1]; n <= ends[3]; n++) {
			line = file SUBSEP n
			if (!(line in seen)) { seen[line] = 1; lines[pkg]++ }
			if ((key in ran) && !(line in lit)) { lit[line] = 1; litlines[pkg]++ }
		}
	}

	wanted = split(must, names, " ")
	for (i = 1; i <= wanted; i++) gated[names[i]] = 1
	printf "%-34s %10s %10s\n", "package", "lines", "statements"
	fflush()
	for (pkg in all) {
		if (index(pkg, module "/core/internal/") == 1) gated[pkg] = 1
		byline = 100 * litlines[pkg] / lines[pkg]
		bystatement = 100 * hit[pkg] / all[pkg]
		low = (pkg in gated) && (byline < floor || bystatement < floor)
		if (low) failed = 1
		name = pkg
		sub("^" module "/", "", name)
		note = low ? "  below " floor " %" : (pkg in gated) ? "" : "  (for information)"
		row = sprintf("%-34s %8.1f %% %8.1f %%%s", name, byline, bystatement, note)
		print row | "sort"
	}
	close("sort")
	for (i = 1; i <= wanted; i++) {
		if (!(names[i] in all)) { print names[i] " is in no profile"; failed = 1 }
	}
	exit failed
}
