//go:build unix

package early

import "syscall"

// backlog is how many connections wait until the kernel accepts them.
const backlog = 128

// listen opens a socket as package net would, for net.FileListener.
func listen(port int) (int, error) {
	syscall.ForkLock.RLock()
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(socket)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return 0, err
	}
	err = syscall.SetsockoptInt(socket, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	if err == nil {
		err = syscall.Bind(socket, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}})
	}
	if err == nil {
		err = syscall.Listen(socket, backlog)
	}
	if err != nil {
		syscall.Close(socket)
		return 0, err
	}
	return socket, nil
}
