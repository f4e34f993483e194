import Model

/// The machine that an image is installed in.
struct INIMachine {
    let section: INISection
    let problems: INIProblems

    /// Whole MiB; nil if a problem was told.
    func memory() -> ByteCount? {
        guard !section.isEmpty("ram") else {
            problems.error(
                section.configuration.option("ram", in: section.name)?.value.place ?? section.place,
                "No option 'ram' defined in section '\(INIProblems.quoted(section.name))' in image-factory.conf. "
                    + "Give the memory of the installing machine, such as ram = 1G.")
            return nil
        }
        guard let (size, value) = section.size("ram") else { return nil }
        let whole = ByteCount.mebi(size.bytes >> 20)
        guard whole >= .mebi(1) else {
            let guess = UInt64(value.text).map { "; did you mean '\($0)M'?" } ?? ""
            problems.error(value.place, "'\(INIProblems.quoted(value.text))' is less than 1 MiB of memory\(guess)")
            return nil
        }
        if whole != size {
            problems.warn(
                value.place, "the memory is rounded down from \(size.bytes) bytes to \(whole.bytes >> 20) MiB")
        }
        return whole
    }

    func processors() -> UInt32 {
        guard let value = section.line("cores") else { return 1 }
        guard let count = UInt32(value.text), (1...512).contains(count) else {
            problems.error(
                value.place, "'\(INIProblems.quoted(value.text))' is no number of processors; give 1 to 512")
            return 1
        }
        return count
    }

    /// In lower case.
    func mac() -> String? {
        guard let value = section.line("mac") else { return nil }
        let parts = value.text.split(separator: ":", omittingEmptySubsequences: false)
        let bytes = parts.compactMap { part in
            part.utf8.count == 2 && part.allSatisfy { $0.isASCII && $0.isHexDigit } ? UInt8(part, radix: 16) : nil
        }
        guard parts.count == 6, bytes.count == 6 else {
            problems.error(
                value.place,
                "'\(INIProblems.quoted(value.text))' is no MAC address; give six bytes, such as 52:54:00:12:34:56")
            return nil
        }
        guard bytes[0] & 1 == 0, bytes.contains(where: { $0 != 0 }) else {
            problems.error(
                value.place,
                "no machine can have the MAC address '\(INIProblems.quoted(value.text))'; "
                    + "the first byte must be even, and not all may be 0")
            return nil
        }
        return value.text.lowercased()
    }

    /// `HOST:DISPLAY`, or `:DISPLAY`.
    func vnc() -> VNCDisplay? {
        guard let value = section.line("vnc") else { return nil }
        let parts = value.text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let number = UInt16(parts[1]), number <= UInt16.max - 5900,
            !parts[0].contains(where: { $0.isWhitespace || $0 == "," })
        else {
            problems.error(
                value.place,
                "'\(INIProblems.quoted(value.text))' is no VNC display; give HOST:DISPLAY, such as localhost:13, with a "
                    + "display from 0 to \(UInt16.max - 5900)")
            return nil
        }
        return VNCDisplay(host: parts[0].isEmpty ? nil : String(parts[0]), number: number)
    }
}
