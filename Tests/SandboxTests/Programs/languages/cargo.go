// A Cargo that uses what Go programs use.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

func say(frame map[string]any) {
	text, _ := json.Marshal(frame)
	fmt.Println(string(text))
}

func must(err error) {
	if err != nil {
		say(map[string]any{"type": "error", "message": err.Error()})
		os.Exit(1)
	}
}

func files() {
	folder, err := os.MkdirTemp("", "g")
	must(err)
	file := filepath.Join(folder, "a")
	must(os.WriteFile(file, make([]byte, 100000), 0o600))
	must(os.Rename(file, file+"b"))
	must(os.Symlink(file+"b", file))
	must(os.Chmod(file, 0o644))
	must(os.Truncate(file+"b", 10))
	must(os.Chtimes(file+"b", time.Now(), time.Now()))
	_, err = os.ReadDir(folder)
	must(err)
	must(os.RemoveAll(folder))
}

func work() {
	var group sync.WaitGroup
	for number := 0; number < 200; number++ {
		group.Add(1)
		go func() { time.Sleep(time.Millisecond); group.Done() }()
	}
	group.Wait()
	waiting := make(chan os.Signal, 1)
	signal.Notify(waiting, syscall.SIGUSR1)
	must(syscall.Kill(os.Getpid(), syscall.SIGUSR1))
	<-waiting
}

func talk() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	go http.Serve(listener, http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) { io.WriteString(answer, "hello") }))
	got, err := http.Get("http://" + listener.Addr().String())
	must(err)
	text, err := io.ReadAll(got.Body)
	must(err)
	if string(text) != "hello" {
		must(fmt.Errorf("%s", text))
	}
	must(exec.Command("/cargo", "child").Run())
}

func main() {
	if len(os.Args) > 1 {
		return
	}
	var request map[string]any
	must(json.NewDecoder(os.Stdin).Decode(&request))
	for name, step := range map[string]func(){"files": files, "work": work, "talk": talk} {
		step()
		say(map[string]any{"type": "status", "message": name})
	}
	say(map[string]any{"type": "token", "content": fmt.Sprint(request["text"])})
	say(map[string]any{"type": "done"})
}
