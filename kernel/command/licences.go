package command

import (
	"io"

	"sapf/kernel/command/licences"
)

// licencesCmd prints the licences of what the program is linked from.
type licencesCmd struct{}

// Run prints the notice.
func (licencesCmd) Run(out output) error {
	_, err := io.WriteString(out.stdout, licences.Text)
	return err
}
