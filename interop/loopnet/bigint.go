package loopnet

import (
	"math/big"

	"interop/pb/loop"
)

// BigInt is a number as it crosses; nil is no number.
func BigInt(number *big.Int) *loop.BigInt {
	if number == nil {
		return nil
	}
	return &loop.BigInt{Negative: number.Sign() < 0, Value: number.Bytes()}
}

// FromBigInt is the number that crossed.
func FromBigInt(number *loop.BigInt) *big.Int {
	if number == nil {
		return nil
	}
	value := new(big.Int).SetBytes(number.Value)
	if number.Negative {
		value.Neg(value)
	}
	return value
}
