package import Model
import SystemPackage
import Yams

/// What an image is made from: `input` of the current form, `get_url` and `checksum` of the older one.
struct ArchitectureInputReader {
    let request: ArchitectureRequest
    let problems: ArchitectureProblems
    let values: ArchitectureReader

    func seed(_ map: ArchitectureMap) -> ImageBase.Input? {
        let source = map["get_url"].flatMap { self.source($0, "get_url") }
        let checksum = map["checksum"].flatMap { self.checksum($0) }
        return source.map { ImageBase.Input($0, checksum: checksum) }
    }

    func section(_ node: Node) -> ImageBase.Input? {
        guard case .mapping(let mapping) = node else {
            problems.wrong(node, "input", "a map with path or url", known: "dictionary")
            return nil
        }
        let map = ArchitectureMap(mapping, of: node, problems)
        map.warnOfOthers(than: ["path", "url", "format", "checksum"], problems)
        let (path, url) = (map["path"], map["url"])
        if path == nil, url == nil {
            problems.error(
                .missing, map.place, "'input' needs 'path' or 'url'",
                known: "Missing attribute: 'url' or 'path' in \(PythonText.representation(node))")
        }
        if path != nil, url != nil {
            problems.error(
                .wrongType, map.place, "'path' and 'url' exclude each other",
                known: "Both 'url' and 'path' are defined in the architecture input section. "
                    + "Only one can be defined")
        }
        let source = url.flatMap { self.source($0, "url") } ?? path.flatMap { self.source($0, "path") }
        let format = map["format"].flatMap { values.format($0, "format") }
        let checksum = map["checksum"].flatMap { self.checksum($0) }
        return source.map { ImageBase.Input($0, checksum: checksum, format: format) }
    }

    private func source(_ node: Node, _ key: String) -> Source? {
        guard let text = values.text(node, key)?.text else { return nil }
        guard let source = Source(input: text, folder: request.folder) else {
            problems.wrong(node, key, "a path or a URL (http, https)", known: "string")
            return nil
        }
        if key != "path", source.scheme == .file {
            problems.warn(YAMLLoad.place(node.mark), "'\(YAMLLoad.quoted(text))' is taken for a path")
        }
        return source
    }

    // MARK: checksums

    private func checksum(_ node: Node) -> Checksum? {
        guard case .mapping(let mapping) = node else {
            problems.wrong(node, "checksum", "a map with type and value", known: "dictionary", .checksumMap)
            return nil
        }
        let map = ArchitectureMap(mapping, of: node, problems)
        map.warnOfOthers(
            than: ["type", "value", "buffer_size", "read_bytes", "file", "signature", "keyring"], problems)
        for key in ["type", "value"] where map[key] == nil {
            problems.error(
                .checksumEntry, map.place, "the checksum has no '\(key)'",
                known: "Missing attribute: \(key) in \(PythonText.representation(node))")
        }
        let type = map["type"].flatMap { self.text($0, "type") }
        let value = map["value"].flatMap { self.text($0, "value") }
        if let size = map["buffer_size"] { _ = count(size, "buffer_size") }
        guard let typeNode = map["type"], let valueNode = map["value"], let type, let value else { return nil }
        guard let algorithm = HashAlgorithm(named: type) else {
            problems.error(
                .checksumType, YAMLLoad.place(typeNode.mark),
                "'\(YAMLLoad.quoted(type))' is no checksum; known are "
                    + HashAlgorithm.allCases.map(\.rawValue).joined(separator: ", "),
                known: "Failed to calculate the checksum of the downloaded image")
            return nil
        }
        if algorithm.isBroken {
            problems.warn(
                YAMLLoad.place(typeNode.mark),
                "\(algorithm.title) does not protect against a forged image; use sha256 or sha512")
        }
        let isList = value.contains("/")
        refuseKeys(ofList: !isList, map)
        if isList { return list(algorithm, value, valueNode, map) }
        let first = map["read_bytes"].flatMap { self.readBytes($0, map) }
        guard let checksum = Checksum.Value(algorithm, value, first: first) else {
            problems.error(
                .checksumValue, YAMLLoad.place(valueNode.mark),
                "'\(YAMLLoad.quoted(value))' is no \(algorithm.title): that has \(algorithm.length * 2) "
                    + "hexadecimal digits",
                known: "The checksum of the downloaded image cannot be the expected checksum: "
                    + YAMLLoad.oneLine(value))
            return nil
        }
        return .value(checksum)
    }

    /// What only a list has, or only a value, would be left out: somebody relies on it.
    private func refuseKeys(ofList: Bool, _ map: ArchitectureMap) {
        for key in ofList ? ["file", "signature", "keyring"] : ["read_bytes"] {
            guard let node = map[key] else { continue }
            problems.error(
                .checksumEntry, YAMLLoad.place(node.mark),
                ofList
                    ? "'\(key)' is for a list of checksums, and 'value' is none: the path of a list has a '/'"
                    : "'\(key)' is for one checksum, and 'value' is a list",
                known: "Invalid attribute: \(key) in \(PythonText.representation(map.node))")
        }
    }

    /// A file such as SHA256SUMS in place of a value.
    private func list(
        _ algorithm: HashAlgorithm, _ text: String, _ node: Node, _ map: ArchitectureMap
    ) -> Checksum? {
        guard let source = Source(input: text, folder: request.folder) else {
            problems.wrong(
                node, "value", "a checksum, or the path or URL of a list", known: "string", .checksumEntryType)
            return nil
        }
        let keyring = map["keyring"].flatMap { self.text($0, "keyring") }
        let signature = map["signature"].flatMap { self.signature($0) }
        if let place = map["signature"], keyring == nil {
            problems.error(
                .checksumEntry, YAMLLoad.place(place.mark), "'signature' needs 'keyring', a file of public keys",
                known: "Missing attribute: keyring in \(PythonText.representation(map.node))")
        }
        return .listed(
            Checksum.List(
                source, name: map["file"].flatMap { self.text($0, "file") }, algorithm: algorithm,
                signature: keyring.map { keyring in
                    Checksum.Signature(
                        keyring: FilePath(Source.absolute(keyring, folder: request.folder)),
                        detached: signature)
                }))
    }

    private func signature(_ node: Node) -> Source? {
        guard let text = text(node, "signature") else { return nil }
        guard let source = Source(input: text, folder: request.folder) else {
            problems.wrong(node, "signature", "a path or a URL (http, https)", known: "string", .checksumEntryType)
            return nil
        }
        return source
    }

    private func text(_ node: Node, _ key: String) -> String? {
        guard case .scalar = node else {
            problems.wrong(node, key, "a text", known: "string", .checksumEntryType)
            return nil
        }
        return values.text(node, key)?.text
    }

    private func readBytes(_ node: Node, _ map: ArchitectureMap) -> ByteCount? {
        guard let count = count(node, "read_bytes") else { return nil }
        guard count > 0 else {
            problems.warn(YAMLLoad.place(node.mark), "0 means the whole file")
            return nil
        }
        problems.warn(
            YAMLLoad.place(node.mark), "the checksum is of the first \(count) bytes only: the rest may be anything")
        return ByteCount(count)
    }

    private func count(_ node: Node, _ key: String) -> UInt64? {
        if case .scalar(let scalar) = node, case .int(let digits) = PythonText.value(scalar),
            let count = UInt64(digits), count < 1 << 63
        {
            return count
        }
        problems.wrong(node, key, "a number of bytes", known: "int", .checksumEntryType)
        return nil
    }
}

extension Source {
    /// What gen-vm-image takes as an input: a URL, or a path that starts at a folder. Nil for a URL of a kind that is
    /// not known.
    package init?(input text: String, folder: String) {
        if text.contains("://") || text.lowercased().hasPrefix("file:") {
            self.init(parsing: text)
        } else {
            guard !text.isEmpty, !text.contains("\0") else { return nil }
            self.init(.file, Self.absolute(text, folder: folder))
        }
    }

    static func absolute(_ path: String, folder: String) -> String {
        if path.hasPrefix("/") { return path }
        return folder.hasSuffix("/") ? folder + path : folder + "/" + path
    }
}
