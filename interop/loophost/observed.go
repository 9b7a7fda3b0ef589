package main

import (
	"math/big"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"interop/expect"
)

// observation is the message that oracles exchange: a time and three numbers of 24 bytes. It crosses as bytes, so it is no
// part of LOOP's contract.
var observation = func() protoreflect.MessageDescriptor {
	message := &descriptorpb.DescriptorProto{Name: proto.String("Observation")}
	for i, name := range []string{"timestamp", "value", "juels", "gas"} {
		kind := descriptorpb.FieldDescriptorProto_TYPE_BYTES
		if i == 0 {
			kind = descriptorpb.FieldDescriptorProto_TYPE_UINT32
		}
		message.Field = append(message.Field, &descriptorpb.FieldDescriptorProto{
			Name: proto.String(name), Number: proto.Int32(int32(i) + 1), Type: kind.Enum(),
			Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
		})
	}
	file := &descriptorpb.FileDescriptorProto{
		Name: proto.String("observation.proto"), Syntax: proto.String("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{message},
	}
	return expect.Must(protodesc.NewFile(file, nil)).Messages().Get(0)
}()

// price is the number in an observation that counts, as Go's own decoder has it; nil in one that is dropped.
func price(encoded []byte) *big.Int {
	message := dynamicpb.NewMessage(observation)
	if proto.Unmarshal(encoded, message) != nil {
		return nil
	}
	part := func(name protoreflect.Name) []byte { return message.Get(observation.Fields().ByName(name)).Bytes() }
	value, gas := part("value"), len(part("gas"))
	if len(value) != 24 || len(part("juels")) != 24 || gas != 24 && gas != 0 {
		return nil
	}
	number := new(big.Int).SetBytes(value)
	if value[0] >= 0x80 {
		number.Sub(number, new(big.Int).Lsh(big.NewInt(1), 192))
	}
	return number
}
