// Command host drives a storage plugin the way plakar does: grpc-go with default settings over the two pipes of a
// child process. It measures and prints one line of JSON. Messages are raw bytes, so that the host costs little.
//
//	host [-phases put1,put8,…] [-size-mib 20] [-seconds 1] [-rounds 3] -- command [args…]
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

const mib = 1 << 20

// rawCodec passes messages through as they are.
type rawCodec struct{}

func (rawCodec) Name() string { return "proto" }

func (rawCodec) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }

func (rawCodec) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = data
	return nil
}

// pipeConn is the child's stdin and stdout as one connection.
type pipeConn struct {
	io.Reader
	io.Writer
	close func() error
}

func (c pipeConn) Close() error                   { return c.close() }
func (pipeConn) LocalAddr() net.Addr              { return &net.UnixAddr{Name: "stdio", Net: "unix"} }
func (pipeConn) RemoteAddr() net.Addr             { return &net.UnixAddr{Name: "stdio", Net: "unix"} }
func (pipeConn) SetDeadline(time.Time) error      { return nil }
func (pipeConn) SetReadDeadline(time.Time) error  { return nil }
func (pipeConn) SetWriteDeadline(time.Time) error { return nil }

type plugin struct {
	command *exec.Cmd
	client  *grpc.ClientConn
	started time.Time
}

func start(args []string) (*plugin, error) {
	command := exec.Command(args[0], args[1:]...)
	command.Stderr = os.Stderr
	input, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	started := time.Now()
	if err := command.Start(); err != nil {
		return nil, err
	}
	conn := pipeConn{output, input, func() error { output.Close(); return input.Close() }}
	client, err := grpc.NewClient("passthrough:///stdio",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(rawCodec{})),
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) { return conn, nil }))
	if err != nil {
		return nil, err
	}
	return &plugin{command, client, started}, nil
}

func (p *plugin) unary(method string, request []byte) error {
	var answer []byte
	return p.client.Invoke(context.Background(), "/store.Store/"+method, &request, &answer)
}

// varint and field write protobuf.
func varint(to []byte, value uint64) []byte {
	for ; value > 127; value >>= 7 {
		to = append(to, byte(value)|0x80)
	}
	return append(to, byte(value))
}

func field(number int, content []byte) []byte {
	message := varint([]byte{byte(number<<3 | 2)}, uint64(len(content)))
	return append(message, content...)
}

func object(number int) []byte {
	mac := make([]byte, 32)
	mac[0], mac[1] = byte(number>>8), byte(number)
	return append(field(1, mac), 0x10, 1)
}

func (p *plugin) put(number, sizeBytes int, chunk []byte) error {
	desc := &grpc.StreamDesc{ClientStreams: true}
	stream, err := p.client.NewStream(context.Background(), desc, "/store.Store/Put")
	if err != nil {
		return err
	}
	head := object(number)
	if err := stream.SendMsg(&head); err != nil {
		return err
	}
	for sent := 0; sent < sizeBytes; sent += mib {
		if err := stream.SendMsg(&chunk); err != nil {
			return err
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	var answer []byte
	if err := stream.RecvMsg(&answer); err != nil {
		return err
	}
	written := uint64(0)
	for i, b := range answer[min(1, len(answer)):] {
		written |= uint64(b&0x7f) << (7 * i)
	}
	if written != uint64(sizeBytes) {
		return fmt.Errorf("the plugin has %d of %d bytes", written, sizeBytes)
	}
	return nil
}

func (p *plugin) get(number int, offset, length uint64) error {
	request := append(object(number), field(3, varint(append(varint([]byte{0x08}, offset), 0x10), length))...)
	desc := &grpc.StreamDesc{ServerStreams: true}
	stream, err := p.client.NewStream(context.Background(), desc, "/store.Store/Get")
	if err != nil {
		return err
	}
	if err := stream.SendMsg(&request); err != nil {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	received := 0
	for {
		var answer []byte
		err := stream.RecvMsg(&answer)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		at := 1
		for at < len(answer) && answer[at] > 127 {
			at++
		}
		received += max(0, len(answer)-at-1)
	}
	if received != int(length) {
		return fmt.Errorf("the plugin sent %d of %d bytes", received, length)
	}
	return nil
}

// together runs work in flight times at once and returns the seconds it took.
func together(inFlight int, work func(lane int) error) (float64, error) {
	var group sync.WaitGroup
	errs := make(chan error, inFlight)
	begin := time.Now()
	for lane := range inFlight {
		group.Add(1)
		go func() {
			defer group.Done()
			if err := work(lane); err != nil {
				errs <- err
			}
		}()
	}
	group.Wait()
	seconds := time.Since(begin).Seconds()
	close(errs)
	return seconds, <-errs
}

// cpuSeconds is what all threads of a process have used so far, in nanosecond steps.
func cpuSeconds(pid int) float64 {
	total := 0.0
	tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	for _, task := range tasks {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/schedstat", pid, task.Name()))
		nanoseconds := 0.0
		fmt.Sscan(string(text), &nanoseconds)
		total += nanoseconds / 1e9
	}
	return total
}

func peakRssMiB(pid int) float64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for _, line := range strings.Split(string(text), "\n") {
		kib := 0.0
		if _, err := fmt.Sscanf(line, "VmHWM: %f kB", &kib); err == nil {
			return kib / 1024
		}
	}
	return 0
}

func main() {
	names := flag.String("phases", "ping,put1,put8,get1,get8,range1,range8", "what to measure, in order")
	sizeMiB := flag.Int("size-mib", 20, "size of an object of put and get")
	rangeKiB := flag.Int("range-kib", 64, "length of a ranged Get")
	seconds := flag.Float64("seconds", 1, "length of a range or ping phase")
	rounds := flag.Int("rounds", 3, "puts or gets of each lane in a phase")
	flag.Parse()
	report, err := measure(flag.Args(), strings.Split(*names, ","), *sizeMiB, *rangeKiB, *seconds, *rounds)
	if err != nil {
		fmt.Fprintln(os.Stderr, "host:", err)
		os.Exit(1)
	}
	line, _ := json.Marshal(report)
	fmt.Println(string(line))
}

func measure(args, names []string, sizeMiB, rangeKiB int, seconds float64, rounds int) (map[string]any, error) {
	p, err := start(args)
	if err != nil {
		return nil, err
	}
	// Whatever happens, no plugin is left behind.
	defer p.command.Process.Kill()
	location := append(field(1, []byte("location")), field(2, []byte("oci://127.0.0.1:1/null"))...)
	if err := p.unary("Init", append(field(1, []byte("oci")), field(2, location)...)); err != nil {
		return nil, err
	}
	report := map[string]any{"startMs": time.Since(p.started).Seconds() * 1e3}
	pid := p.command.Process.Pid
	chunk := field(3, make([]byte, mib))
	object := func(lane int, op func(number int) error) error {
		for round := range rounds {
			if err := op(lane*rounds + round); err != nil {
				return err
			}
		}
		return nil
	}
	for _, name := range names {
		kind := strings.TrimRight(name, "0123456789")
		inFlight := 1
		fmt.Sscanf(name[len(kind):], "%d", &inFlight)
		var calls atomic.Int64
		// Keeps each lane busy for the given time.
		during := func(length float64, op func(number int) error) func(int) error {
			deadline := time.Now().Add(time.Duration(length * 1e9))
			return func(lane int) error {
				for number := lane; time.Now().Before(deadline); number += inFlight {
					if err := op(number); err != nil {
						return err
					}
					calls.Add(1)
				}
				return nil
			}
		}
		put := func(number int) error { return p.put(number, sizeMiB*mib, chunk) }
		get := func(number int) error { return p.get(number, 0, uint64(sizeMiB*mib)) }
		ranged := func(number int) error {
			length := uint64(rangeKiB << 10)
			return p.get(number%64, uint64(number)*length%(uint64(sizeMiB)*mib-length), length)
		}
		var latencies []float64
		ping := func(int) error {
			begin := time.Now()
			err := p.unary("Ping", nil)
			latencies = append(latencies, time.Since(begin).Seconds()*1e6)
			return err
		}
		var work, warm func(lane int) error
		switch kind {
		case "put", "get":
			op := put
			if kind == "get" {
				op = get
			}
			warm = op
			work = func(lane int) error { return object(lane, op) }
		case "range":
			warm = during(0.2, ranged)
		case "ping":
			warm = during(0.2, ping)
		default:
			return nil, fmt.Errorf("no phase %q", name)
		}
		if _, err := together(inFlight, warm); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		calls.Store(0)
		latencies = nil
		if kind == "range" {
			work = during(seconds, ranged)
		} else if kind == "ping" {
			work = during(seconds, ping)
		}
		before, ownBefore := cpuSeconds(pid), cpuSeconds(os.Getpid())
		took, err := together(inFlight, work)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		cpu, own := cpuSeconds(pid)-before, cpuSeconds(os.Getpid())-ownBefore
		result := map[string]float64{"seconds": took, "cpuSeconds": cpu, "hostCpuSeconds": own}
		if kind == "put" || kind == "get" {
			moved := float64(inFlight * rounds * sizeMiB)
			result["mibPerSecond"] = moved / took
			result["cpuSecondsPerGiB"] = cpu / moved * 1024
		} else {
			result["callsPerSecond"] = float64(calls.Load()) / took
			result["cpuMsPerCall"] = cpu * 1e3 / float64(calls.Load())
		}
		if len(latencies) > 0 {
			sort.Float64s(latencies)
			result["medianUs"] = latencies[len(latencies)/2]
			result["p99Us"] = latencies[len(latencies)*99/100]
		}
		report[name] = result
	}
	report["peakRssMiB"] = peakRssMiB(pid)
	p.client.Close()
	patience := time.AfterFunc(10*time.Second, func() { p.command.Process.Kill() })
	defer patience.Stop()
	if err := p.command.Wait(); err != nil {
		return nil, fmt.Errorf("the plugin ended with %w", err)
	}
	usage := p.command.ProcessState
	report["totalCpuSeconds"] = (usage.UserTime() + usage.SystemTime()).Seconds()
	return report, nil
}
