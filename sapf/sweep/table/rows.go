package table

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"sapf/sapf/attack"
	"sapf/sapf/metric"
	"sapf/sapf/sweep"
	"sapf/sapf/sweep/runs"
	"sapf/sapf/sweep/spec"
)

// Attack is a result with its place in the plan.
type Attack struct {
	Unit   spec.Unit
	Label  string // of the method: "fmn-l0 step_size=0.5"
	Record sweep.Record
}

// Read reads all results of a sweep that are there, in the order of the plan,
// and says in words how many those are.
func Read(d *runs.Dir) (attacks []Attack, snapshot string, err error) {
	total := 0
	shared := options{}
	err = d.EachRecord(func(u spec.Unit, rec *sweep.Record) {
		total++
		if rec == nil {
			return
		}
		rec.Options = shared.of(u.Method, rec.Options)
		attacks = append(attacks, Attack{u, d.Plan.Methods[u.Method].Label, *rec})
	})
	return attacks, fmt.Sprintf("%s of %s attacks", thousands(len(attacks)), thousands(total)), err
}

// options keeps one copy of equal options, which are most of a record.
type options map[int][]map[string]any

func (o options) of(method int, m map[string]any) map[string]any {
	for _, seen := range o[method] {
		if reflect.DeepEqual(seen, m) {
			return seen
		}
	}
	const kept = 16 // a method whose options differ from image to image
	if len(o[method]) < kept {
		o[method] = append(o[method], m)
	}
	return m
}

// thousands writes 9000 as "9,000".
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// field is a column of the result format.
type field struct {
	Column
	index int
}

// fields are the result format's columns, in its order.
var fields = fieldsOf(reflect.TypeFor[sweep.Record]())

func fieldsOf(record reflect.Type) []field {
	var out []field
	for i := range record.NumField() {
		f := record.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		kind := Text
		switch f.Type.Kind() {
		case reflect.Int, reflect.Pointer:
			kind = Number
		case reflect.Float64:
			kind = Real
		case reflect.Bool:
			kind = Truth
		case reflect.Map, reflect.Slice:
			kind = Object
		}
		out = append(out, field{Column{name, kind}, i})
	}
	return out
}

// value is a field of a record as a table's value.
func (f field) value(r *sweep.Record) (any, error) {
	v := reflect.ValueOf(r).Elem().Field(f.index)
	switch {
	case v.Kind() == reflect.Pointer && v.IsNil(), v.Kind() == reflect.Slice && v.Len() == 0:
		return nil, nil
	case v.Kind() == reflect.Pointer:
		return v.Elem().Int(), nil
	case f.Kind == Number:
		return v.Int(), nil
	case f.Kind == Real:
		return v.Float(), nil
	case f.Kind == Truth:
		return v.Bool(), nil
	case f.Kind == Object:
		raw, err := json.Marshal(v.Interface())
		return json.RawMessage(raw), err
	}
	return v.String(), nil
}

// Rows is a table with a row for each attack, its columns named and ordered as
// in the result format, and the key of the result as the last.
func Rows(attacks []Attack, caption string) (*Table, error) {
	t := &Table{Caption: caption}
	for _, f := range fields {
		t.Columns = append(t.Columns, f.Column)
	}
	t.Columns = append(t.Columns, Column{"key", Text})
	written := map[uintptr]json.RawMessage{} // options by the map's address: equal ones are one map
	for i := range attacks {
		a := &attacks[i]
		row := make([]any, 0, len(t.Columns))
		for _, f := range fields {
			if f.Name == "options" {
				at := reflect.ValueOf(a.Record.Options).Pointer()
				if raw, ok := written[at]; ok {
					row = append(row, raw)
					continue
				}
				v, err := f.value(&a.Record)
				if err != nil {
					return nil, err
				}
				written[at] = v.(json.RawMessage)
				row = append(row, v)
				continue
			}
			v, err := f.value(&a.Record)
			if err != nil {
				return nil, err
			}
			row = append(row, v)
		}
		t.Rows = append(t.Rows, append(row, a.Unit.Key))
	}
	return t, nil
}

// Row is an attack as a row of Table 1. An image that the model gets wrong,
// and one that is in the goal's class already, count nowhere.
func (a Attack) Row() metric.Row {
	r := a.Record
	m := metric.Row{
		Method: a.Label, Image: r.Model + " " + r.Image,
		PerTarget: metric.PerTarget{
			Target: a.Unit.Target, Success: r.Success,
			Norms: attack.Norms{L0: r.L0, L0Pixels: r.L0Pixels, L1: r.L1, L2: r.L2, Linf: r.Linf},
		},
		Forwards: r.Forwards, Gradients: r.Gradients, Seconds: r.Seconds,
	}
	switch {
	case r.Label != nil && *r.Label != r.Prediction:
		m.LeftOut = "the image is misclassified"
	case r.Target != nil && *r.Target == r.Prediction:
		m.LeftOut = "the clean image is classified as the target"
	}
	return m
}

// Of is an outcome of no sweep as a result: its method's name is its label.
func Of(o *sweep.Outcome) Attack {
	return Attack{Unit: spec.Unit{Key: o.Key(), Target: o.Goal.Target}, Label: o.Result.Method, Record: o.Record()}
}
