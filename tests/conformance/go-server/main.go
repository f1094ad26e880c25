// Command go-server drives the OpAMP server of opamp-go by JSON lines, so that a client written in another language can
// be tried against the reference implementation.
//
// One line on stdin is one command; the answer is one line on stdout with the same id. Everything the server tells its
// callbacks is a line with "event". Protobuf messages travel in their binary form, so that fields which this version of
// the schema does not know pass through unharmed.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/open-telemetry/opamp-go/protobufs"
	"github.com/open-telemetry/opamp-go/server"
	"github.com/open-telemetry/opamp-go/server/types"
	"google.golang.org/protobuf/proto"
)

type command struct {
	ID    int             `json:"id"`
	Do    string          `json:"do"`
	Value json.RawMessage `json:"value"`
}

type line map[string]any

type listenValue struct {
	Compression        bool     `json:"compression"`
	CustomCapabilities []string `json:"customCapabilities"`
	// Capabilities of the server, in every answer that no test has written.
	Capabilities uint64 `json:"capabilities"`
	// PEM texts; with a certificate it speaks TLS, with a client authority it demands certificates.
	Cert     string `json:"cert"`
	Key      string `json:"key"`
	ClientCA string `json:"clientCa"`
	// With a client authority: also let in who shows no certificate.
	IsClientCertOptional bool `json:"isClientCertOptional"`
	// Speaks no newer TLS than 1.2.
	IsOld bool `json:"isOld"`
}

// refusal is what the next connections (or plain requests) get instead of being let in.
type refusal struct {
	Times   int               `json:"times"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
}

// driver owns one server. Answers are taken from the queue, one for each message; an empty queue gives the usual answer.
type driver struct {
	out      *json.Encoder
	outMutex sync.Mutex

	mutex        sync.Mutex
	server       server.OpAMPServer
	capabilities uint64
	answers      []*protobufs.ServerToAgent
	silent       bool
	refusals     []refusal
	connections  map[int]types.Connection
	nextID       int
	authority    authority
}

func main() {
	d := &driver{out: json.NewEncoder(os.Stdout), connections: map[int]types.Connection{}, nextID: 1}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 64*1024), 256*1024*1024)
	for lines.Scan() {
		var c command
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			d.write(line{"event": "badCommand", "error": err.Error()})
			continue
		}
		answer := line{"id": c.ID}
		value, err := d.run(c)
		if err != nil {
			answer["error"] = err.Error()
		} else if value != nil {
			answer["value"] = value
		}
		d.write(answer)
	}
}

func (d *driver) write(l line) {
	d.outMutex.Lock()
	defer d.outMutex.Unlock()
	_ = d.out.Encode(l)
}

func (d *driver) run(c command) (any, error) {
	switch c.Do {
	case "listen":
		return d.listen(c.Value)
	case "stop":
		return nil, d.stop()
	case "answer":
		return nil, d.queueAnswer(c.Value)
	case "silent":
		return nil, d.setSilent(c.Value)
	case "send":
		return nil, d.send(c.Value)
	case "refuse":
		return nil, d.refuse(c.Value)
	case "certificates":
		return d.authority.issueAll()
	case "sign":
		return d.authority.sign(c.Value)
	case "disconnect":
		return nil, d.eachConnection(types.Connection.Disconnect)
	}
	return nil, fmt.Errorf("unknown command %q", c.Do)
}

func (d *driver) listen(value json.RawMessage) (any, error) {
	var v listenValue
	if err := json.Unmarshal(value, &v); err != nil {
		return nil, err
	}
	if d.server != nil {
		return nil, errors.New("listens already")
	}
	tlsConfig, err := v.tls()
	if err != nil {
		return nil, err
	}
	d.capabilities = v.Capabilities
	d.server = server.New(logger{d})
	err = d.server.Start(server.StartSettings{
		Settings: server.Settings{
			Callbacks:          types.Callbacks{OnConnecting: d.onConnecting},
			EnableCompression:  v.Compression,
			CustomCapabilities: v.CustomCapabilities,
		},
		ListenEndpoint: "127.0.0.1:0",
		TLSConfig:      tlsConfig,
	})
	if err != nil {
		return nil, err
	}
	return d.server.Addr().(*net.TCPAddr).Port, nil
}

func (v listenValue) tls() (*tls.Config, error) {
	if v.Cert == "" {
		return nil, nil
	}
	pair, err := tls.X509KeyPair([]byte(v.Cert), []byte(v.Key))
	if err != nil {
		return nil, err
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	if v.IsOld {
		config.MaxVersion = tls.VersionTLS12
	}
	if v.ClientCA != "" {
		config.ClientAuth = tls.RequireAndVerifyClientCert
		if v.IsClientCertOptional {
			config.ClientAuth = tls.VerifyClientCertIfGiven
		}
		config.ClientCAs = x509.NewCertPool()
		if !config.ClientCAs.AppendCertsFromPEM([]byte(v.ClientCA)) {
			return nil, errors.New("clientCa has no certificate")
		}
	}
	return config, nil
}

func (d *driver) stop() error {
	if d.server == nil {
		return errors.New("does not listen")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return d.server.Stop(ctx)
}

func (d *driver) queueAnswer(value json.RawMessage) error {
	message, err := messageOf(value)
	if err != nil {
		return err
	}
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.answers = append(d.answers, message)
	return nil
}

func (d *driver) setSilent(value json.RawMessage) error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return json.Unmarshal(value, &d.silent)
}

// send pushes over every WebSocket that is open.
func (d *driver) send(value json.RawMessage) error {
	message, err := messageOf(value)
	if err != nil {
		return err
	}
	return d.eachConnection(func(connection types.Connection) error {
		return connection.Send(context.Background(), message)
	})
}

func (d *driver) refuse(value json.RawMessage) error {
	var r refusal
	if err := json.Unmarshal(value, &r); err != nil {
		return err
	}
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.refusals = append(d.refusals, r)
	return nil
}

func (d *driver) eachConnection(do func(types.Connection) error) error {
	d.mutex.Lock()
	connections := make([]types.Connection, 0, len(d.connections))
	for _, connection := range d.connections {
		connections = append(connections, connection)
	}
	d.mutex.Unlock()
	if len(connections) == 0 {
		return errors.New("no connection")
	}
	for _, connection := range connections {
		if err := do(connection); err != nil {
			return err
		}
	}
	return nil
}

// messageOf reads a ServerToAgent from its binary form.
func messageOf(value json.RawMessage) (*protobufs.ServerToAgent, error) {
	var data []byte
	if err := json.Unmarshal(value, &data); err != nil {
		return nil, err
	}
	message := &protobufs.ServerToAgent{}
	return message, proto.Unmarshal(data, message)
}

func (d *driver) onConnecting(request *http.Request) types.ConnectionResponse {
	l := line{"event": "request", "method": request.Method, "path": request.URL.Path, "headers": request.Header}
	if request.TLS != nil && len(request.TLS.PeerCertificates) > 0 {
		l["certificate"] = request.TLS.PeerCertificates[0].Subject.CommonName
	}
	refused := d.nextRefusal()
	if refused != nil {
		l["refused"] = refused.Status
	}
	d.write(l)
	if refused != nil {
		return types.ConnectionResponse{HTTPStatusCode: refused.Status, HTTPResponseHeader: refused.Headers}
	}
	isPlain := request.Header.Get("Content-Type") == "application/x-protobuf"
	return types.ConnectionResponse{Accept: true, ConnectionCallbacks: d.callbacks(isPlain)}
}

func (d *driver) nextRefusal() *refusal {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if len(d.refusals) == 0 {
		return nil
	}
	first := d.refusals[0]
	if d.refusals[0].Times--; d.refusals[0].Times <= 0 {
		d.refusals = d.refusals[1:]
	}
	return &first
}

// callbacks are made anew for each connection, so that its events carry one number. A plain request is a connection too.
func (d *driver) callbacks(isPlain bool) types.ConnectionCallbacks {
	d.mutex.Lock()
	id := d.nextID
	d.nextID++
	d.mutex.Unlock()
	return types.ConnectionCallbacks{
		OnConnected: func(_ context.Context, connection types.Connection) {
			// Only a WebSocket can be written to at any time.
			if !isPlain {
				d.mutex.Lock()
				d.connections[id] = connection
				d.mutex.Unlock()
			}
			d.write(line{"event": "connected", "connection": id})
		},
		OnMessage: func(_ context.Context, _ types.Connection, message *protobufs.AgentToServer) *protobufs.ServerToAgent {
			data, err := proto.Marshal(message)
			if err != nil {
				d.write(line{"event": "readError", "connection": id, "error": err.Error()})
			}
			d.write(line{"event": "message", "connection": id, "message": data})
			return d.nextAnswer(message)
		},
		OnConnectionClose: func(types.Connection) {
			d.mutex.Lock()
			delete(d.connections, id)
			d.mutex.Unlock()
			d.write(line{"event": "closed", "connection": id})
		},
		OnReadMessageError: func(_ types.Connection, _ int, _ []byte, err error) {
			d.write(line{"event": "readError", "connection": id, "error": err.Error()})
		},
		OnMessageResponseError: func(_ types.Connection, _ *protobufs.ServerToAgent, err error) {
			d.write(line{"event": "writeError", "connection": id, "error": err.Error()})
		},
	}
}

func (d *driver) nextAnswer(message *protobufs.AgentToServer) *protobufs.ServerToAgent {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.silent {
		return nil
	}
	// A goodbye takes nothing from the queue: which of a test's answers it met would be a matter of luck.
	if len(d.answers) == 0 || message.AgentDisconnect != nil {
		return &protobufs.ServerToAgent{InstanceUid: message.InstanceUid, Capabilities: d.capabilities}
	}
	answer := d.answers[0]
	d.answers = d.answers[1:]
	return answer
}

// logger turns the server's log into events.
type logger struct{ driver *driver }

func (l logger) Debugf(_ context.Context, format string, v ...any) {
	l.driver.write(line{"event": "log", "level": "debug", "text": fmt.Sprintf(format, v...)})
}

func (l logger) Errorf(_ context.Context, format string, v ...any) {
	l.driver.write(line{"event": "log", "level": "error", "text": fmt.Sprintf(format, v...)})
}
