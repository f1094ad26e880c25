package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"

	"github.com/open-telemetry/opamp-go/protobufs"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

type encoded struct {
	Type  string `json:"type"`
	Bytes string `json:"bytes"`
}

type decoded struct {
	// ProtoJSON; absent when decoding failed.
	JSON json.RawMessage `json:"json,omitempty"`
}

// decodeAll reads a list of encoded messages and writes, in the same order, what opamp-go's decoder makes of each.
func decodeAll(in io.Reader, out io.Writer) error {
	var messages []encoded
	if err := json.NewDecoder(in).Decode(&messages); err != nil {
		return err
	}
	results := make([]decoded, 0, len(messages))
	for _, m := range messages {
		var target proto.Message = &protobufs.AgentToServer{}
		if m.Type == "ServerToAgent" {
			target = &protobufs.ServerToAgent{}
		}
		bytes, err := hex.DecodeString(m.Bytes)
		if err != nil {
			return fmt.Errorf("not hexadecimal text: %w", err)
		}
		if proto.Unmarshal(bytes, target) != nil {
			results = append(results, decoded{})
			continue
		}
		text, err := protojson.Marshal(target)
		if err != nil {
			return err
		}
		results = append(results, decoded{JSON: text})
	}
	return json.NewEncoder(out).Encode(results)
}
