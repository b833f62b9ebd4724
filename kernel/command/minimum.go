package command

import (
	"fmt"
	"reflect"
	"strconv"
	"time"

	"github.com/alecthomas/kong"
)

// aboveMinimum refuses a number that is given and is below the least that its
// flag's tag "min" allows. In a list each is looked at.
func aboveMinimum(flags []*kong.Flag) error {
	for _, f := range flags {
		least := f.Tag.Get("min")
		if least == "" || !f.Set {
			continue
		}
		v := reflect.Indirect(f.Target)
		values := []reflect.Value{v}
		if v.Kind() == reflect.Slice {
			values = values[:0]
			for i := range v.Len() {
				values = append(values, v.Index(i))
			}
		}
		for _, v := range values {
			if !atLeast(v, least) {
				return fmt.Errorf("--%s %v, expected at least %s", f.Name, v.Interface(), least)
			}
		}
	}
	return nil
}

// atLeast compares a number or a time with a bound as a tag has it.
func atLeast(v reflect.Value, bound string) bool {
	if d, ok := v.Interface().(time.Duration); ok {
		least, err := time.ParseDuration(bound)
		return err == nil && d >= least
	}
	least, err := strconv.ParseFloat(bound, 64)
	if err != nil {
		return false
	}
	if v.CanInt() {
		return float64(v.Int()) >= least
	}
	return v.Float() >= least
}
