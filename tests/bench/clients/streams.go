// Three lines over Go's net, as a stream or as datagrams: each thing that happens is a line of JSON.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

const (
	pause   = 50 * time.Millisecond
	replies = 3
)

func tell(event map[string]any) {
	text, _ := json.Marshal(event)
	fmt.Println(string(text))
}

// What failed and why, without the addresses.
func words(err error) string {
	var failed *net.OpError
	if errors.As(err, &failed) {
		return failed.Op + ": " + errors.Unwrap(failed.Err).Error()
	}
	return err.Error()
}

func write(conn net.Conn) {
	for _, line := range []string{"one\n", "two\n", "three\n"} {
		if _, err := conn.Write([]byte(line)); err != nil {
			tell(map[string]any{"error": words(err)})
			return
		}
		time.Sleep(pause)
	}
}

func main() {
	protocol, port := os.Args[1], os.Args[2]
	conn, err := net.Dial(protocol, "127.0.0.1:"+port)
	if err != nil {
		tell(map[string]any{"error": words(err)})
		os.Exit(1)
	}
	done := make(chan struct{})
	go func() { write(conn); close(done) }()
	buffer := make([]byte, 65536)
	for come := 0; come < replies; {
		n, err := conn.Read(buffer)
		if err == io.EOF {
			tell(map[string]any{"end": "io.EOF"})
			break
		}
		if err != nil {
			tell(map[string]any{"error": words(err)})
			<-done
			os.Exit(1)
		}
		ends := bytes.Count(buffer[:n], []byte("\n"))
		tell(map[string]any{"read": n, "lines": ends})
		if protocol == "udp" {
			ends = 1
		}
		come += ends
	}
	<-done
}
