package import Model
import Yams

/// The nodes of an architecture file → its images. The order of the checks is that of gen-vm-image: owner, images, what
/// every image must have, then each image's values.
struct ArchitectureReader {
    let request: ArchitectureRequest
    let problems: ArchitectureProblems

    private static let imageKeys = [
        "name", "version", "size", "format", "input", "get_url", "checksum", "allow_shrink",
    ]

    /// Nil only if problems were told.
    func architecture(_ root: Node) -> ImageArchitecture? {
        guard case .mapping(let mapping) = root else {
            problems.error(
                .unreadable, YAMLLoad.place(root.mark), "the file must be a map with owner and images",
                known: "Failed to load path: \(YAMLLoad.oneLine(request.file))")
            return nil
        }
        let map = ArchitectureMap(mapping, of: root, problems)
        map.warnOfOthers(than: ["owner", "images"], problems)
        let owner = map["owner"]
        if isNothing(owner) { missing("owner", in: map, .missingRoot) }
        let images = map["images"]
        if isNothing(images) { missing("images", in: map, .missingRoot) }
        guard let owner, let images, !isNothing(owner), !isNothing(images) else { return nil }
        guard case .mapping(let entries) = images else {
            problems.wrong(
                images, "images", "a map of images by name",
                known: request.generation == .seed ? "dictionary" : "<class 'dict'>", .missingRoot)
            return nil
        }
        return ImageArchitecture(
            owner: text(owner, "owner")?.text ?? "", images: self.images(ArchitectureMap(entries, of: images, problems))
        )
    }

    private func images(_ map: ArchitectureMap) -> [ImageArchitecture.Image] {
        var images: [(entry: ArchitectureMap.Entry, map: ArchitectureMap)] = []
        for entry in map.entries where !problems.diagnostics.isFull {
            guard case .mapping(let mapping) = entry.node else {
                problems.wrong(entry.node, entry.key, "a map", known: "dictionary")
                continue
            }
            let image = ArchitectureMap(mapping, of: entry.node, problems)
            requireKeys(of: image, entry)
            images.append((entry, image))
        }
        return images.compactMap { image($0.entry, $0.map) }
    }

    private func requireKeys(of image: ArchitectureMap, _ entry: ArchitectureMap.Entry) {
        let required =
            request.generation == .seed ? ["name", "version", "get_url", "checksum", "size"] : ["name", "size"]
        for key in required where image[key] == nil {
            let known =
                request.generation == .seed
                ? "Missing required attribute '\(key)': in \(PythonText.representation(image.node))"
                : "Missing attribute: \(key) in \(entry.key)"
            problems.error(
                .missing, entry.place, "the image '\(YAMLLoad.quoted(entry.key))' has no '\(key)'", known: known)
        }
    }

    private func image(_ entry: ArchitectureMap.Entry, _ map: ArchitectureMap) -> ImageArchitecture.Image? {
        if request.generation == .seed {
            map.warnOfOthers(
                than: ["name", "version", "get_url", "checksum", "size", "allow_shrink"],
                elsewhere: [
                    "input": "it is for 'gen-vm-image multiple'", "format": "it is for 'gen-vm-image multiple'",
                ], problems)
        } else {
            map.warnOfOthers(than: Self.imageKeys, problems)
        }
        let name = map["name"].flatMap { fileName($0, "name") }
        let version = map["version"].flatMap { fileName($0, "version") }
        let size = map["size"].flatMap { self.size($0) }
        let format = request.generation == .current ? map["format"].flatMap { self.format($0, "format") } : nil
        let input = self.input(of: map)
        let mayShrink = map["allow_shrink"].map { flag($0, "allow_shrink") } ?? false
        guard let name, let size else { return nil }
        return ImageArchitecture.Image(
            key: entry.key, name: name.text, version: version,
            base: ImageBase(input: input, format: format ?? .qcow2, size: size, mayShrink: mayShrink))
    }

    private func input(of map: ArchitectureMap) -> ImageBase.Input? {
        let reader = ArchitectureInputReader(request: request, problems: problems, values: self)
        guard request.generation == .current else { return reader.seed(map) }
        guard let section = map["input"] else {
            if map["get_url"] != nil { return reader.seed(map) }
            if let checksum = map["checksum"] {
                problems.warn(
                    YAMLLoad.place(checksum.mark), "there is no input of which this could be the checksum")
            }
            return nil
        }
        if let url = map["get_url"] {
            problems.error(
                .wrongType, YAMLLoad.place(url.mark), "'get_url' and 'input' exclude each other",
                known: "Both 'get_url' and 'input' are defined in the image. Only one can be defined")
        }
        return reader.section(section)
    }

    // MARK: values

    /// A text as it is written. Numbers and dates are taken by their digits, with a warning where Python's value would
    /// be another one.
    func text(_ node: Node, _ key: String) -> LiteralText? {
        guard case .scalar(let scalar) = node else {
            problems.wrong(node, key, "a text", known: "string")
            return nil
        }
        let value = PythonText.value(scalar)
        let isPlain: Bool
        switch value {
        case .none, .bool:
            problems.wrong(node, key, "a text (write it in quotes)", known: "string")
            return nil
        case .text: isPlain = false
        case .int, .float, .date: isPlain = true
        }
        guard !scalar.string.isEmpty, !scalar.string.unicodeScalars.contains(where: YAMLLoad.isForbidden),
            !scalar.string.contains(where: \.isNewline), scalar.string.utf8.count <= 4096
        else {
            problems.wrong(node, key, "a text of one line", known: "string")
            return nil
        }
        if isPlain, value.string != scalar.string {
            problems.warn(
                YAMLLoad.place(node.mark),
                "YAML reads \(scalar.string) as \(value.string); it is taken as it is written: write it in quotes")
        }
        return LiteralText(scalar.string, isPlain: isPlain)
    }

    /// A text that becomes a part of a file's name.
    private func fileName(_ node: Node, _ key: String) -> LiteralText? {
        guard let text = text(node, key) else { return nil }
        guard ImageFileName.isSound(text.text) else {
            problems.wrong(node, key, ImageFileName.rule, known: "string")
            return nil
        }
        return text
    }

    private func size(_ node: Node) -> ByteCount? {
        guard let text = text(node, "size") else { return nil }
        guard let size = ImageSize.parse(text.text) else {
            problems.wrong(node, "size", ImageSize.rule, known: "a size such as 10G")
            return nil
        }
        if text.isPlain {
            problems.warn(YAMLLoad.place(node.mark), "a size without a unit is a number of bytes")
        }
        return size
    }

    func format(_ node: Node, _ key: String) -> ImageFormat? {
        guard let text = text(node, key) else { return nil }
        guard let format = ImageFormat(named: text.text) else {
            let all = ImageFormat.allCases.map(\.rawValue).joined(separator: ", ")
            problems.wrong(node, key, "one of " + all, known: "one of " + all)
            return nil
        }
        return format
    }

    private func flag(_ node: Node, _ key: String) -> Bool {
        if case .scalar(let scalar) = node, case .bool(let value) = PythonText.value(scalar) { return value }
        problems.wrong(node, key, "true or false", known: "bool")
        return false
    }

    /// Missing, null or empty, which Python takes for the same.
    private func isNothing(_ node: Node?) -> Bool {
        switch node {
        case nil: true
        case .scalar(let scalar): scalar.string.isEmpty || PythonText.value(scalar) == .none
        case .sequence(let list): list.isEmpty
        case .mapping(let map): map.isEmpty
        case .alias: true
        }
    }

    private func missing(_ key: String, in map: ArchitectureMap, _ kind: InvalidArchitecture.Kind) {
        problems.error(
            kind, map.place, "the key '\(key)' is missing or empty",
            known: "Missing attribute: \(key) in \(PythonText.representation(map.node))")
    }
}

/// Names and versions of which file names are made.
package enum ImageFileName {
    package static let rule = "a part of a file's name: at most 100 bytes, no slash, no dot or dash first"

    package static func isSound(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first, first != ".", first != "-" else { return false }
        return text.utf8.count <= 100
            && !text.unicodeScalars.contains { $0 == "/" || $0 == "\n" || YAMLLoad.isForbidden($0) }
    }
}

/// Sizes of disks: `10G`, `512M`, `1073741824`.
package enum ImageSize {
    package static let rule = "a size of a disk from 512 bytes to 64T, such as 10G"

    /// Whole sectors of 512, rounded up as qemu-img does. Nil if it is no size of a disk.
    package static func parse(_ text: String) -> ByteCount? {
        guard let size = ByteCount(iniSize: text), size.bytes >= 1, size <= .gibi(64 << 10) else { return nil }
        return size.rounded(upTo: ByteCount(512))
    }
}
