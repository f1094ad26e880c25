// Shows opamp-go's schema. Without argument: writes the descriptors it compiles in as JSON, every message with its
// fields and every enum with its values. With the argument "decode": decodes the messages that stdin lists.
package main

import (
	"encoding/json"
	"log"
	"os"

	"github.com/open-telemetry/opamp-go/protobufs"
	"google.golang.org/protobuf/reflect/protoreflect"
)

type field struct {
	Number int32  `json:"number"`
	Kind   string `json:"kind"`
	// "optional", "repeated" or "map<key kind>".
	Cardinality string `json:"cardinality"`
	// Name, without its package, of the message or enum that the field holds.
	Type  string `json:"type,omitempty"`
	Oneof string `json:"oneof,omitempty"`
}

type schema struct {
	Messages map[string]map[string]field `json:"messages"`
	Enums    map[string]map[string]int32 `json:"enums"`
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "decode" {
		if err := decodeAll(os.Stdin, os.Stdout); err != nil {
			log.Fatal(err)
		}
		return
	}
	if err := json.NewEncoder(os.Stdout).Encode(readSchema()); err != nil {
		log.Fatal(err)
	}
}

func readSchema() schema {
	result := schema{Messages: map[string]map[string]field{}, Enums: map[string]map[string]int32{}}
	// The files that hold the two ends of the schema; everything lies in one of them.
	files := []protoreflect.FileDescriptor{
		(&protobufs.AgentToServer{}).ProtoReflect().Descriptor().ParentFile(),
		(&protobufs.AnyValue{}).ProtoReflect().Descriptor().ParentFile(),
	}
	for _, file := range files {
		addMessages(result, file.Messages())
		addEnums(result, file.Enums())
	}
	return result
}

func addMessages(result schema, messages protoreflect.MessageDescriptors) {
	for i := 0; i < messages.Len(); i++ {
		message := messages.Get(i)
		if message.IsMapEntry() {
			continue
		}
		fields := map[string]field{}
		for j := 0; j < message.Fields().Len(); j++ {
			f := message.Fields().Get(j)
			fields[string(f.Name())] = describe(f)
		}
		result.Messages[string(message.Name())] = fields
		addMessages(result, message.Messages())
		addEnums(result, message.Enums())
	}
}

func addEnums(result schema, enums protoreflect.EnumDescriptors) {
	for i := 0; i < enums.Len(); i++ {
		values := map[string]int32{}
		for j := 0; j < enums.Get(i).Values().Len(); j++ {
			value := enums.Get(i).Values().Get(j)
			values[string(value.Name())] = int32(value.Number())
		}
		result.Enums[string(enums.Get(i).Name())] = values
	}
}

func describe(f protoreflect.FieldDescriptor) field {
	described := field{Number: int32(f.Number()), Cardinality: f.Cardinality().String()}
	if f.ContainingOneof() != nil {
		described.Oneof = string(f.ContainingOneof().Name())
	}
	if f.IsMap() {
		described.Cardinality = "map<" + f.MapKey().Kind().String() + ">"
		f = f.MapValue()
	}
	described.Kind = f.Kind().String()
	switch f.Kind() {
	case protoreflect.MessageKind:
		described.Type = string(f.Message().Name())
	case protoreflect.EnumKind:
		described.Type = string(f.Enum().Name())
	}
	return described
}
