package message_test

import (
	"errors"
	"fmt"
	"log"

	"sapf/kernel/message"
)

// Both sides of a conversation have the key of the connection file. A message
// is taken once, and only as it was signed.
func ExampleCodec() {
	client, err := message.NewCodec("hmac-sha256", []byte("the key"))
	if err != nil {
		log.Fatal(err)
	}
	kernel, err := message.NewCodec("hmac-sha256", []byte("the key"))
	if err != nil {
		log.Fatal(err)
	}
	frames := client.Encode("execute_request", nil, nil, []byte(`{"code": "1 + 1"}`))
	m, err := kernel.Decode(frames)
	fmt.Println(m.Header.Type, string(m.Content), err)

	_, err = kernel.Decode(frames)
	fmt.Println(errors.Is(err, message.ErrReplay))

	frames[5] = []byte(`{"code": "2 + 2"}`)
	_, err = kernel.Decode(frames)
	fmt.Println(errors.Is(err, message.ErrSignature))
	// Output:
	// execute_request {"code": "1 + 1"} <nil>
	// true
	// true
}
