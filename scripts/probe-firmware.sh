#!/bin/bash
# Assembles scripts/probe-firmware.S and prints Sources/Steps/QEMU/ProbeFirmwareCode.swift.
# Needs binutils and od.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
as --64 -o "$folder/probe.o" probe-firmware.S
ld -m elf_x86_64 -N -Ttext=0xff000 --oformat binary -o "$folder/probe.bin" "$folder/probe.o"
used=$(nm "$folder/probe.o" | awk '$3 == "code_end" { print $1 }')
words=$(((0x$used + 7) / 8))
cat <<'SWIFT'
// Made by scripts/probe-firmware.sh from scripts/probe-firmware.S.

extension ProbeFirmware {
    /// The code as little-endian words of 64 bits; it starts at the last 4 KiB of the firmware.
    static let code: [UInt64] = [
SWIFT
od -v -A n -t x8 -w40 -N $((words * 8)) "$folder/probe.bin" \
    | sed -e 's/ \([0-9a-f]\)/ 0x\1/g' -e 's/^ /        /' -e 's/\([0-9a-f]\)\( \|$\)/\1,\2/g'
printf '    ]\n}\n'
