// Command go-client drives the OpAMP client of opamp-go by JSON lines, so that a test written in another language can
// use the reference implementation as an oracle.
//
// One line on stdin is one command; the answer is one line on stdout with the same id. Everything the client tells its
// callbacks is a line with "event". Protobuf messages travel in their JSON form.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/open-telemetry/opamp-go/client"
	"github.com/open-telemetry/opamp-go/client/types"
	"github.com/open-telemetry/opamp-go/protobufs"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

type command struct {
	ID    int             `json:"id"`
	Do    string          `json:"do"`
	Value json.RawMessage `json:"value"`
}

type startValue struct {
	URL                string            `json:"url"`
	Transport          string            `json:"transport"`
	Headers            map[string]string `json:"headers"`
	InstanceUID        []byte            `json:"instanceUid"`
	Capabilities       uint64            `json:"capabilities"`
	Compression        bool              `json:"compression"`
	HeartbeatMs        int64             `json:"heartbeatMs"`
	Description        json.RawMessage   `json:"description"`
	Health             json.RawMessage   `json:"health"`
	Components         json.RawMessage   `json:"components"`
	CustomCapabilities []string          `json:"customCapabilities"`
	EffectiveConfig    json.RawMessage   `json:"effectiveConfig"`
	RequestInstanceUID bool              `json:"requestInstanceUid"`
}

type line map[string]any

// driver owns one client; the effective config is kept here because the client asks for it by callback.
type driver struct {
	out       *json.Encoder
	outMutex  sync.Mutex
	client    client.OpAMPClient
	stateLock sync.Mutex
	effective *protobufs.EffectiveConfig
}

func main() {
	d := &driver{out: json.NewEncoder(os.Stdout)}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 64*1024), 64*1024*1024)
	for lines.Scan() {
		var c command
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			d.write(line{"event": "badCommand", "error": err.Error()})
			continue
		}
		answer := line{"id": c.ID}
		if err := d.run(c); err != nil {
			answer["error"] = err.Error()
		}
		d.write(answer)
	}
}

func (d *driver) write(l line) {
	d.outMutex.Lock()
	defer d.outMutex.Unlock()
	_ = d.out.Encode(l)
}

func (d *driver) run(c command) error {
	if c.Do == "start" {
		return d.start(c.Value)
	}
	if d.client == nil {
		return errors.New("start first")
	}
	switch c.Do {
	case "stop":
		return d.stop()
	case "setDescription":
		return withMessage(c.Value, &protobufs.AgentDescription{}, d.client.SetAgentDescription)
	case "setHealth":
		return withMessage(c.Value, &protobufs.ComponentHealth{}, d.client.SetHealth)
	case "setRemoteConfigStatus":
		return withMessage(c.Value, &protobufs.RemoteConfigStatus{}, d.client.SetRemoteConfigStatus)
	case "setComponents":
		return withMessage(c.Value, &protobufs.AvailableComponents{}, d.client.SetAvailableComponents)
	case "setCustomCapabilities":
		return withMessage(c.Value, &protobufs.CustomCapabilities{}, d.client.SetCustomCapabilities)
	case "sendCustomMessage":
		return withMessage(c.Value, &protobufs.CustomMessage{}, func(m *protobufs.CustomMessage) error {
			_, err := d.client.SendCustomMessage(m)
			return err
		})
	case "setEffectiveConfig":
		return withMessage(c.Value, &protobufs.EffectiveConfig{}, func(m *protobufs.EffectiveConfig) error {
			d.setEffective(m)
			return d.client.UpdateEffectiveConfig(context.Background())
		})
	case "setCapabilities":
		var mask uint64
		if err := json.Unmarshal(c.Value, &mask); err != nil {
			return err
		}
		capabilities := protobufs.AgentCapabilities(mask)
		return d.client.SetCapabilities(&capabilities)
	}
	return fmt.Errorf("unknown command %q", c.Do)
}

// withMessage reads a protobuf message from its JSON form and hands it on.
func withMessage[M proto.Message](value json.RawMessage, message M, use func(M) error) error {
	if err := protojson.Unmarshal(value, message); err != nil {
		return err
	}
	return use(message)
}

func (d *driver) setEffective(m *protobufs.EffectiveConfig) {
	d.stateLock.Lock()
	defer d.stateLock.Unlock()
	d.effective = m
}

func (d *driver) getEffective(context.Context) (*protobufs.EffectiveConfig, error) {
	d.stateLock.Lock()
	defer d.stateLock.Unlock()
	return d.effective, nil
}

func (d *driver) start(value json.RawMessage) error {
	var v startValue
	if err := json.Unmarshal(value, &v); err != nil {
		return err
	}
	if v.Transport == "http" {
		d.client = client.NewHTTP(logger{d})
	} else {
		d.client = client.NewWebSocket(logger{d})
	}
	if err := d.prepare(v); err != nil {
		return err
	}
	settings := types.StartSettings{
		OpAMPServerURL:    v.URL,
		Header:            http.Header{},
		InstanceUid:       types.InstanceUid(v.InstanceUID),
		EnableCompression: v.Compression,
		Callbacks:         d.callbacks(),
	}
	for name, text := range v.Headers {
		settings.Header.Set(name, text)
	}
	if v.HeartbeatMs > 0 {
		interval := time.Duration(v.HeartbeatMs) * time.Millisecond
		settings.HeartbeatInterval = &interval
	}
	return d.client.Start(context.Background(), settings)
}

// prepare sets what the client wants to know before it starts.
func (d *driver) prepare(v startValue) error {
	if err := withMessage(v.Description, &protobufs.AgentDescription{}, d.client.SetAgentDescription); err != nil {
		return err
	}
	if len(v.Health) > 0 {
		if err := withMessage(v.Health, &protobufs.ComponentHealth{}, d.client.SetHealth); err != nil {
			return err
		}
	}
	if len(v.Components) > 0 {
		if err := withMessage(v.Components, &protobufs.AvailableComponents{}, d.client.SetAvailableComponents); err != nil {
			return err
		}
	}
	if len(v.EffectiveConfig) > 0 {
		effective := &protobufs.EffectiveConfig{}
		if err := protojson.Unmarshal(v.EffectiveConfig, effective); err != nil {
			return err
		}
		d.setEffective(effective)
	}
	if len(v.CustomCapabilities) > 0 {
		if err := d.client.SetCustomCapabilities(&protobufs.CustomCapabilities{Capabilities: v.CustomCapabilities}); err != nil {
			return err
		}
	}
	if v.RequestInstanceUID {
		d.client.SetFlags(protobufs.AgentToServerFlags_AgentToServerFlags_RequestInstanceUid)
	}
	capabilities := protobufs.AgentCapabilities(v.Capabilities)
	return d.client.SetCapabilities(&capabilities)
}

func (d *driver) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return d.client.Stop(ctx)
}

func (d *driver) callbacks() types.Callbacks {
	return types.Callbacks{
		OnConnect:       func(context.Context) { d.write(line{"event": "connect"}) },
		OnConnectFailed: func(_ context.Context, err error) { d.write(line{"event": "connectFailed", "error": err.Error()}) },
		OnError: func(_ context.Context, err *protobufs.ServerErrorResponse) {
			d.write(line{"event": "error", "response": message(err)})
		},
		OnCommand: func(_ context.Context, command *protobufs.ServerToAgentCommand) error {
			d.write(line{"event": "command", "command": message(command)})
			return nil
		},
		OnMessage:              d.onMessage,
		GetEffectiveConfig:     d.getEffective,
		SaveRemoteConfigStatus: func(context.Context, *protobufs.RemoteConfigStatus) {},
		OnOpampConnectionSettings: func(_ context.Context, settings *protobufs.OpAMPConnectionSettings) error {
			d.write(line{"event": "opampSettings", "opamp": message(settings)})
			return nil
		},
		OnConnectionSettings: func(_ context.Context, offers *protobufs.ConnectionSettingsOffers) error {
			d.write(line{"event": "connectionSettings", "offers": message(offers)})
			return nil
		},
	}
}

// onMessage is called for each ServerToAgent without a command, empty ones included.
func (d *driver) onMessage(_ context.Context, data *types.MessageData) {
	l := line{"event": "message"}
	if data.RemoteConfig != nil {
		l["remoteConfig"] = message(data.RemoteConfig)
	}
	if data.AgentIdentification != nil {
		l["agentIdentification"] = message(data.AgentIdentification)
	}
	if data.CustomCapabilities != nil {
		l["customCapabilities"] = message(data.CustomCapabilities)
	}
	if data.CustomMessage != nil {
		l["customMessage"] = message(data.CustomMessage)
	}
	d.write(l)
}

func message(m proto.Message) json.RawMessage {
	text, err := protojson.Marshal(m)
	if err != nil {
		text, _ = json.Marshal(err.Error())
	}
	return text
}

// logger turns the client's log into events.
type logger struct{ driver *driver }

func (l logger) Debugf(_ context.Context, format string, v ...any) {
	l.driver.write(line{"event": "log", "level": "debug", "text": fmt.Sprintf(format, v...)})
}

func (l logger) Errorf(_ context.Context, format string, v ...any) {
	l.driver.write(line{"event": "log", "level": "error", "text": fmt.Sprintf(format, v...)})
}
