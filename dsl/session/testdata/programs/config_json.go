package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"
)

type Level int

const (
	Debug Level = iota
	Info
	Warn
)

func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }
func (l *Level) UnmarshalText(b []byte) error {
	switch string(b) {
	case "debug":
		*l = Debug
	case "info":
		*l = Info
	case "warn":
		*l = Warn
	default:
		return fmt.Errorf("level %q", b)
	}
	return nil
}
func (l Level) String() string { return [...]string{"debug", "info", "warn"}[l] }

type Duration struct{ time.Duration }

func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(d.Duration.String()) }
func (d *Duration) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	v, err := time.ParseDuration(s)
	if err != nil {
		return err
	}
	d.Duration = v
	return nil
}

type Config struct {
	Name    string          `json:"name"`
	Level   Level           `json:"level"`
	Timeout Duration        `json:"timeout"`
	Tags    []string        `json:"tags,omitempty"`
	Extra   map[string]any  `json:"extra,omitempty"`
	Nested  *Config         `json:"nested,omitempty"`
	ByLevel map[Level]int   `json:"byLevel,omitempty"`
	List    []Duration      `json:"list"`
	Raw     json.RawMessage `json:"raw,omitempty"`
	private int
	Skip    string `json:"-"`
}

func main() {
	c := Config{Name: "x", Level: Warn, Timeout: Duration{1500 * time.Millisecond}, Tags: []string{"a", "b"},
		Extra: map[string]any{"n": 1, "f": 2.5, "s": []int{1, 2}}, Nested: &Config{Name: "y", Level: Info}, ByLevel: map[Level]int{Info: 3, Debug: 1}, List: []Duration{{time.Second}, {time.Minute}}}
	b, err := json.MarshalIndent(c, "", "  ")
	fmt.Println(string(b), err)
	var d Config
	err = json.Unmarshal(b, &d)
	fmt.Println(err, d.Level, d.Timeout, d.Nested.Level, d.ByLevel, d.List, d.Extra["s"], d.Extra["n"])
	err = json.Unmarshal([]byte(`{"level":"loud"}`), &d)
	fmt.Println(err)
	err = json.Unmarshal([]byte(`{"timeout":"5x"}`), &d)
	fmt.Println(err)
	err = json.Unmarshal([]byte(`{"name":5}`), &d)
	fmt.Println(err)
	var list []Config
	fmt.Println(json.Unmarshal([]byte(`[{"name":"p","timeout":"3s"},{"level":"info","list":["1s","2m"]}]`), &list), len(list), list[0].Timeout, list[1].Level, list[1].List)
	var m map[string]Duration
	fmt.Println(json.Unmarshal([]byte(`{"a":"1h"}`), &m), m["a"].Hours())
	dec := json.NewDecoder(strings.NewReader(`{"name":"q","bogus":1}`))
	dec.DisallowUnknownFields()
	var e Config
	fmt.Println(dec.Decode(&e))
	enc := json.NewEncoder(os.Stdout)
	enc.SetIndent(">", " ")
	enc.Encode(map[string]any{"level": Warn, "d": Duration{time.Hour}, "c": []Level{Info}})
	var any1 any
	json.Unmarshal([]byte(`{"a":[1,"x",null,true,{"b":2e3}]}`), &any1)
	fmt.Println(any1)
	for k, v := range any1.(map[string]any) {
		for _, x := range v.([]any) {
			switch x := x.(type) {
			case float64:
				fmt.Println(k, "num", x+1)
			case string:
				fmt.Println(k, "str", x+"!")
			case nil:
				fmt.Println("null")
			case bool:
				fmt.Println(!x)
			case map[string]any:
				fmt.Println(x["b"])
			}
		}
	}
}
