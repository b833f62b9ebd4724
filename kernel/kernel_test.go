package kernel

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestKernelInfo(t *testing.T) {
	c := startKernel(t)
	id := c.send(c.control, "kernel_info_request", content{})
	onControl := fields(c.wait(c.answers, "kernel_info_reply", id))
	info := c.ask("kernel_info", content{})
	if info["protocol_version"] != "5.5" || info["status"] != "ok" || info["language_info"].(map[string]any)["name"] != "go" {
		t.Errorf("got %v", info)
	}
	a, _ := json.Marshal(info)
	b, _ := json.Marshal(onControl)
	if string(a) != string(b) {
		t.Errorf("shell and control differ:\n%s\n%s", a, b)
	}
}

func TestExecute(t *testing.T) {
	c := startKernel(t)
	r := c.execute("say hello\nwarn careful\nshow id here\nvalue 42")
	if got := r.kinds(); got != "execute_input stream stream display_data execute_result" {
		t.Errorf("outputs %s", got)
	}
	if r.reply["status"] != "ok" || r.reply["execution_count"] != 1.0 {
		t.Errorf("reply %v", r.reply)
	}
	if got := string(r.outputs[4].Content); got != `{"execution_count":1,"data":{"text/plain":"42"},"metadata":{}}` {
		t.Errorf("result %s", got)
	}
	if r := c.execute("fail oh no"); r.reply["status"] != "error" || r.reply["ename"] != "Error" || r.reply["evalue"] != "oh no" ||
		r.kinds() != "execute_input error" || r.reply["execution_count"] != 2.0 {
		t.Errorf("reply %v, outputs %s", r.reply, r.kinds())
	}
}

func TestSilentAndUncounted(t *testing.T) {
	c := startKernel(t)
	r := c.outcome(c.send(c.shell, "execute_request", content{"code": "say x\nset a 1\nvalue 3", "silent": true}))
	if len(r.outputs) != 0 || r.reply["execution_count"] != 0.0 {
		t.Errorf("silent: outputs %s, reply %v", r.kinds(), r.reply)
	}
	r = c.outcome(c.send(c.shell, "execute_request", content{"code": "value 3", "store_history": false}))
	if r.kinds() != "execute_input execute_result" || r.reply["execution_count"] != 0.0 {
		t.Errorf("store_history false: outputs %s, reply %v", r.kinds(), r.reply)
	}
	r = c.outcome(c.send(c.shell, "execute_request", content{"code": "", "silent": true, "user_expressions": content{"x": "get a", "y": "get b"}}))
	answers := r.reply["user_expressions"].(map[string]any)
	x, y := answers["x"].(map[string]any), answers["y"].(map[string]any)
	if x["status"] != "ok" || x["data"].(map[string]any)["text/plain"] != "1" || y["status"] != "error" {
		t.Errorf("user_expressions %v", answers)
	}
}

func TestQueueIsAbortedAfterAnError(t *testing.T) {
	c := startKernel(t)
	first := c.send(c.shell, "execute_request", content{"code": "sleep 1000\nfail now"})
	second := c.send(c.shell, "execute_request", content{"code": "say never"})
	if r := c.outcome(first); r.reply["status"] != "error" {
		t.Errorf("first: %v", r.reply)
	}
	if r := c.outcome(second); r.reply["status"] != "aborted" || len(r.outputs) != 0 {
		t.Errorf("second: %v, outputs %s", r.reply, r.kinds())
	}
	if r := c.execute("say again"); r.text("stdout") != "again\n" {
		t.Errorf("after the error: %v", r.reply)
	}
	first = c.send(c.shell, "execute_request", content{"code": "sleep 300\nfail now", "stop_on_error": false})
	second = c.send(c.shell, "execute_request", content{"code": "say go on"})
	c.outcome(first)
	if r := c.outcome(second); r.reply["status"] != "ok" {
		t.Errorf("stop_on_error false: %v", r.reply)
	}
}

func TestFailure74_TwoCellsAtOnceAreQueued(t *testing.T) {
	c := startKernel(t)
	var ids []string
	for _, code := range []string{"sleep 300\nsay 1", "say 2", "say 3"} {
		ids = append(ids, c.send(c.shell, "execute_request", content{"code": code}))
	}
	for i, id := range ids {
		if r := c.outcome(id); r.text("stdout") != string(rune('1'+i))+"\n" || r.reply["execution_count"] != float64(i+1) {
			t.Errorf("cell %d: %q, %v", i+1, r.text(""), r.reply)
		}
	}
}

func TestInterruptAndControlWhileBusy(t *testing.T) {
	c := startKernel(t)
	c.execute("set x 1")
	id := c.send(c.shell, "execute_request", content{"code": "spin"})
	c.wait(c.published, "execute_input", id)
	start := time.Now()
	c.wait(c.answers, "kernel_info_reply", c.send(c.control, "kernel_info_request", content{}))
	t.Logf("control answered a busy kernel in %v", time.Since(start))
	if got := c.ask("complete", content{"code": "s", "cursor_pos": 1}); len(got["matches"].([]any)) != 4 {
		t.Errorf("completion while busy: %v", got)
	}
	reply := fields(c.wait(c.answers, "interrupt_reply", c.send(c.control, "interrupt_request", content{})))
	if reply["status"] != "ok" {
		t.Errorf("interrupt_reply %v", reply)
	}
	if r := c.outcome(id); r.reply["ename"] != "Interrupted" {
		t.Errorf("reply %v", r.reply)
	}
	if r := c.execute("get x"); r.reply["status"] != "ok" {
		t.Errorf("state after an interrupt: %v", r.reply)
	}
}

func TestSecondInterruptEndsADeafCell(t *testing.T) {
	c := startKernel(t)
	c.execute("set x 1") // the interpreter has started
	id := c.send(c.shell, "execute_request", content{"code": "deaf"})
	c.wait(c.published, "execute_input", id)
	c.send(c.control, "interrupt_request", content{})
	time.Sleep(patience + 100*time.Millisecond)
	c.send(c.control, "interrupt_request", content{})
	if r := c.outcome(id); r.reply["ename"] != "Killed" {
		t.Errorf("reply %v", r.reply)
	}
	if r := c.execute("value 1"); r.reply["status"] != "ok" {
		t.Errorf("next cell: %v", r.reply)
	}
}

func TestInputRequest(t *testing.T) {
	c := startKernel(t)
	id := c.send(c.shell, "execute_request", content{"code": "ask who?", "allow_stdin": true})
	q := c.wait(c.questions, "input_request", id)
	if f := fields(q); f["prompt"] != "who?" || f["password"] != false {
		t.Errorf("input_request %v", f)
	}
	c.send(c.stdin, "input_reply", content{"value": "me"})
	if r := c.outcome(id); r.text("stdout") != "got me\n" {
		t.Errorf("output %q, reply %v", r.text(""), r.reply)
	}
	r := c.outcome(c.send(c.shell, "execute_request", content{"code": "ask who?", "allow_stdin": false}))
	if r.reply["status"] != "error" || !strings.Contains(r.reply["evalue"].(string), "allow_stdin") {
		t.Errorf("without allow_stdin: %v", r.reply)
	}
}

func TestUnicodeCursor(t *testing.T) {
	c := startKernel(t)
	// Twelve characters before the word, of which the pictures are two UTF-16
	// units and four bytes each.
	code := "# 🐈🐈 été\nsay"
	got := c.ask("complete", content{"code": code, "cursor_pos": 11})
	if got["cursor_start"] != 9.0 || got["cursor_end"] != 11.0 {
		t.Errorf("got %v", got)
	}
}

func TestIntrospection(t *testing.T) {
	c := startKernel(t)
	if got := c.ask("inspect", content{"code": "say", "cursor_pos": 2}); got["found"] != true {
		t.Errorf("inspect: %v", got)
	}
	if got := c.ask("inspect", content{"code": "x", "cursor_pos": 1}); got["found"] != false || got["status"] != "ok" {
		t.Errorf("inspect of nothing: %v", got)
	}
	if got := c.ask("is_complete", content{"code": "say \\"}); got["status"] != "incomplete" || got["indent"] != "  " {
		t.Errorf("is_complete: %v", got)
	}
	if got := c.ask("comm_info", content{}); got["status"] != "ok" || len(got["comms"].(map[string]any)) != 0 {
		t.Errorf("comm_info: %v", got)
	}
	r := c.execute("say?")
	page := r.reply["payload"].([]any)[0].(map[string]any)
	if page["source"] != "page" || !strings.Contains(page["data"].(map[string]any)["text/plain"].(string), "writes TEXT") {
		t.Errorf("pager: %v", r.reply)
	}
}

func TestHistory(t *testing.T) {
	c := startKernel(t)
	for _, code := range []string{"value 1", "say 2", "value 1", "say a/b"} {
		c.execute(code)
	}
	for _, x := range []struct {
		ask  content
		want string
	}{
		{content{"hist_access_type": "tail", "n": 2}, `[[0,3,"value 1"],[0,4,"say a/b"]]`},
		{content{"hist_access_type": "range", "session": 0, "start": 1, "stop": 3, "output": true}, `[[0,1,["value 1","1"]],[0,2,["say 2",null]]]`},
		{content{"hist_access_type": "search", "pattern": "say*"}, `[[0,2,"say 2"],[0,4,"say a/b"]]`},
		{content{"hist_access_type": "search", "pattern": "value*", "unique": true}, `[[0,3,"value 1"]]`},
		{content{"hist_access_type": "range", "session": -1, "start": 1}, `[]`},
	} {
		got, _ := json.Marshal(c.ask("history", x.ask)["history"])
		if string(got) != x.want {
			t.Errorf("%v: %s, want %s", x.ask, got, x.want)
		}
	}
}

func TestCommToNobodyIsClosed(t *testing.T) {
	c := startKernel(t)
	id := c.send(c.shell, "comm_open", content{"comm_id": "7", "target_name": "nobody", "data": content{}})
	if f := fields(c.wait(c.published, "comm_close", id)); f["comm_id"] != "7" {
		t.Errorf("got %v", f)
	}
}

func TestDebugIsRefusedPolitely(t *testing.T) {
	c := startKernel(t)
	id := c.send(c.control, "debug_request", content{"type": "request", "seq": 3, "command": "initialize"})
	if f := fields(c.wait(c.answers, "debug_reply", id)); f["success"] != false || f["request_seq"] != 3.0 {
		t.Errorf("got %v", f)
	}
}

func TestShutdown(t *testing.T) {
	c := startKernel(t)
	spinning := c.send(c.shell, "execute_request", content{"code": "spin"})
	c.wait(c.published, "execute_input", spinning)
	id := c.send(c.control, "shutdown_request", content{"restart": true})
	if f := fields(c.wait(c.answers, "shutdown_reply", id)); f["restart"] != true || f["status"] != "ok" {
		t.Errorf("got %v", f)
	}
	select {
	case <-c.ended:
	case <-time.After(patientTime):
		t.Error("the kernel lives on")
	}
}

func TestPictureComesBeforeIdle(t *testing.T) {
	c := startKernel(t)
	start := time.Now()
	r := c.execute("picture 15000000")
	t.Logf("20 MB of base64 in %v", time.Since(start))
	if r.kinds() != "execute_input display_data" || len(r.outputs[1].Content) < 20000000 {
		t.Errorf("outputs %s", r.kinds())
	}
}
