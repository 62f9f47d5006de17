// Package child runs parts of a measurement in processes of their own. A store's heap is only
// clean, and its collector's work only its own, in a process in which nothing else lives.
//
// The parent starts this very program again with a word as its first argument, and the two talk in
// JSON over the child's standard input and output, one request and one answer at a time. The
// program's main, and a test binary's TestMain, must look at that argument before anything else.
package child

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// A Process is a child that waits for requests. One goroutine at a time may use it.
type Process struct {
	command *exec.Cmd
	in      io.WriteCloser
	encoder *json.Encoder
	decoder *json.Decoder
}

// An envelope carries an answer, or the reason why there is none.
type envelope struct {
	Error  string          `json:"error,omitempty"`
	Answer json.RawMessage `json:"answer,omitempty"`
}

// Start runs this program again with args. The child ends with ctx, or when Close is called. What
// it writes to its standard error goes to the parent's.
func Start(ctx context.Context, args ...string) (*Process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the program itself: %w", err)
	}
	command := exec.CommandContext(ctx, program, args...)
	command.Stderr = os.Stderr
	in, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start a child: %w", err)
	}
	return &Process{
		command: command, in: in, encoder: json.NewEncoder(in), decoder: json.NewDecoder(out),
	}, nil
}

// Call sends request and waits for its answer, which it decodes into answer.
func (p *Process) Call(request, answer any) error {
	if err := p.encoder.Encode(request); err != nil {
		return fmt.Errorf("ask a child: %w", err)
	}
	var e envelope
	if err := p.decoder.Decode(&e); err != nil {
		return fmt.Errorf("hear from a child: %w", err)
	}
	if e.Error != "" {
		return errors.New(e.Error)
	}
	return json.Unmarshal(e.Answer, answer)
}

// Close tells the child that no more requests will come, and waits for its end.
func (p *Process) Close() error {
	if err := p.in.Close(); err != nil {
		return err
	}
	return p.command.Wait()
}

// Serve is the child's side: it answers requests from in until there are no more. An error of
// answer goes to the parent, and the child lives on; Serve's own error means that the two no
// longer understand each other.
func Serve[Request, Answer any](
	in io.Reader, out io.Writer, answer func(Request) (Answer, error),
) error {
	decoder, encoder := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var request Request
		if err := decoder.Decode(&request); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read a request: %w", err)
		}
		if err := encoder.Encode(seal(answer(request))); err != nil {
			return fmt.Errorf("write an answer: %w", err)
		}
	}
}

func seal[Answer any](answer Answer, err error) envelope {
	if err != nil {
		return envelope{Error: err.Error()}
	}
	raw, err := json.Marshal(answer)
	if err != nil {
		return envelope{Error: err.Error()}
	}
	return envelope{Answer: raw}
}
