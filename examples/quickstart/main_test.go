package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a newcomer copies from README.md is this program, which compiles.
func TestREADMEShowsThisProgram(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(readme), "```go\n")
	require.True(t, ok, "README.md has no program")
	shown, _, _ := strings.Cut(rest, "```")

	program, err := os.ReadFile("main.go")
	require.NoError(t, err)
	require.Contains(t, string(program), shown)
}
