package remote

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// cluster starts three NATS servers in processes of their own that are one
// cluster, and returns them and their addresses.
func cluster(t *testing.T) (nodes []*child, urls string) {
	t.Helper()
	var ports, routes, addresses []string
	for range 3 {
		ports = append(ports, freePort(t))
		routes = append(routes, freePort(t))
		addresses = append(addresses, "nats://127.0.0.1:"+ports[len(ports)-1])
	}
	var all []string
	for _, p := range routes {
		all = append(all, "nats://127.0.0.1:"+p)
	}
	for i, p := range ports {
		nodes = append(nodes, start(t, "nats", p, filepath.Join(t.TempDir(), "store"), fmt.Sprintf("node-%d", i+1), routes[i], strings.Join(all, ",")))
	}
	for _, a := range addresses {
		answers(t, a)
	}
	return nodes, strings.Join(addresses, ",")
}

// TestCluster: three workers on a cluster of three nodes; one node and one worker
// are killed in mid-sweep: the table is that of
// a run in one process.
func TestCluster(t *testing.T) {
	t.Parallel()
	const options = "sleep: 100"
	dir, reference := folder(t, options, 30, 3, 3), folder(t, options, 30, 3, 3)
	run(t, reference)
	nodes, urls := cluster(t)
	hub := start(t, "hub", dir, urls, "3")
	var workers []*child
	for range 3 {
		workers = append(workers, work(t, urls))
	}
	until(t, "some results", func() bool { return files(t, dir) >= 20 })
	kill(t, nodes[0])
	kill(t, workers[0])
	endWell(t, append([]*child{hub}, workers[1:]...)...)
	same(t, dir, reference)
	if st := status(t, dir); st.Done != 90 || st.Corrupt != 0 || st.Dead != 0 {
		t.Errorf("%+v", st)
	}
}
