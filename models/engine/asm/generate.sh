#!/bin/sh
# Writes ../FAMILY_amd64.s, ../neon_arm64.s and their Go declarations. avo does not know the
# engine's types, so the declarations get theirs here.
set -eu
cd "$(dirname "$0")"
for family in avx512 avx2; do
	go run . -family $family -out ../${family}_amd64.s -stubs ../${family}_amd64.go -pkg engine
	sed -i 's/\*byte/*tileArgs/; s/\*int8/*winoArgs/; s/\*int16/*rowArgs/' ../${family}_amd64.go
done
go run ./neon -out ../neon_arm64.s -stubs ../neon_arm64.go
