package mathml_test

import (
	"fmt"

	"sapf/kernel/mathml"
)

func ExampleRender() {
	m, err := mathml.Render(`\|\delta\|_2`, false)
	fmt.Println(m, err)
	_, err = mathml.Render(`\operatornam{clip}`, false)
	fmt.Println(err)
	// Output:
	// <math xmlns="http://www.w3.org/1998/Math/MathML" display="inline" alttext="\|\delta\|_2"><mrow><mo stretchy="false">‖</mo><mi>δ</mi><msub><mo stretchy="false">‖</mo><mn>2</mn></msub></mrow></math> <nil>
	// formula "\\operatornam{clip}": \operatornam is unknown
}
