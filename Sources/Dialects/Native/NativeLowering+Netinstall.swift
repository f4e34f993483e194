import Model
import SystemPackage

extension NativeLowering {
    func netinstall(_ map: NativeMap) -> Netinstall {
        var checksums: [String: Checksum] = [:]
        let memory = map.text("memory").flatMap(ByteCount.init(parsing:)) ?? .gibi(2)
        let whole = ByteCount.mebi(memory.bytes >> 20)
        if whole < .mebi(64) || whole > .gibi(1 << 20) {
            problems.error(map.place("memory"), "a machine that installs has between 64M and 1024T of memory")
        }
        let processors = map.text("cpus").flatMap { UInt32($0) } ?? 1
        if !(1...512).contains(processors) {
            problems.error(map.place("cpus"), "'\(processors)' is no number of processors; give 1 to 512")
        }
        return Netinstall(
            medium: medium(map, &checksums), answers: answers(map), append: map.text("append") ?? "", memory: whole,
            processors: processors, mac: mac(map),
            hypervisor: map.text("hypervisor").flatMap(Netinstall.Hypervisor.init) ?? .qemu,
            network: map.text("network").flatMap(Netinstall.Network.init) ?? .proxy,
            partitions: map.text("partitions").flatMap(Netinstall.PartitionRule.init) ?? .linux,
            limitSeconds: limit(map), checksums: checksums)
    }

    private func limit(_ map: NativeMap) -> UInt32? {
        guard let text = map.text("limit") else { return nil }
        guard let seconds = NativeKeys.seconds(text), seconds <= 604_800 else {
            problems.error(map.place("limit"), "the limit of an installation is between 1s and 168h")
            return nil
        }
        return seconds
    }

    private func medium(_ map: NativeMap, _ checksums: inout [String: Checksum]) -> Netinstall.Medium {
        let nothing = Source(.file, "/")
        if let image = map["image"] {
            for key in ["kernel", "initrd"] where map[key] != nil {
                problems.error(map.place(key), "'image' takes the place of 'kernel' and 'initrd'")
            }
            return .image(source(image, &checksums) ?? nothing)
        }
        let kernel = map["kernel"].flatMap { source($0, &checksums) }
        let initrd = map["initrd"].flatMap { source($0, &checksums) }
        if map["kernel"] == nil || map["initrd"] == nil {
            problems.error(map.place, "an installation needs 'kernel' and 'initrd', or 'image'")
        }
        return .kernel(kernel ?? nothing, initrd: initrd ?? nothing)
    }

    private func source(_ value: NativeValue, _ checksums: inout [String: Checksum]) -> Source? {
        guard let (source, checksum) = source(value) else { return nil }
        if let checksum { checksums[source.location] = checksum }
        return source
    }

    /// Nil if a problem was told. A SHA-256 of the whole file is part of the source itself.
    func source(_ value: NativeValue) -> (Source, Checksum?)? {
        guard let text = value.text ?? value.map?.text("url") else { return nil }
        guard let source = location(text) else {
            problems.error(
                value.map?.place("url") ?? value.place, "this is neither a path nor a file, http, https or rsync URI")
            return nil
        }
        return value.map.map { checked(source, $0) } ?? (source, nil)
    }

    /// The source with what a map says of its bytes.
    func checked(_ plain: Source, _ map: NativeMap) -> (Source, Checksum?) {
        var source = plain
        if map["checksum"] != nil, map["checksums"] != nil {
            problems.error(map.place("checksums"), "a file has either 'checksum' or 'checksums'")
        }
        let typed = map.map("checksum").map { "\($0.text("type") ?? ""):\($0.text("value") ?? "")" }
        if let text = map.text("checksum") ?? typed {
            guard let checksum = Checksum.Value(parsing: text) else {
                problems.error(
                    map.place("checksum"),
                    "'\(YAMLLoad.quoted(text))' is no checksum that is known here; "
                        + "give a SHA-256 or SHA-512, or another one as NAME:DIGITS")
                return (source, nil)
            }
            guard let digest = checksum.digest else { return (source, .value(checksum)) }
            source.digest = digest
        }
        return (source, map.map("checksums").flatMap(list).map { .listed($0) })
    }

    private func list(_ map: NativeMap) -> Checksum.List? {
        guard let text = map.text("file"), let file = location(text) else {
            if map.text("file") != nil {
                problems.error(map.place("file"), "this is neither a path nor a file, http, https or rsync URI")
            }
            return nil
        }
        let detached = map.text("signature").map(location)
        if let detached, detached == nil {
            problems.error(map.place("signature"), "this is neither a path nor a file, http, https or rsync URI")
        }
        if map["signature"] != nil, map["keyring"] == nil {
            problems.error(map.place("signature"), "a signature needs the 'keyring' whose keys may have made it")
        }
        let signature = map.text("keyring").map {
            Checksum.Signature(keyring: FilePath(beside($0)), detached: detached ?? nil)
        }
        return Checksum.List(file, name: map.text("name"), signature: signature)
    }

    /// A URI, or a path relative to the definition.
    private func location(_ text: String) -> Source? {
        if let source = Source(parsing: text) { return source }
        return text.contains(":") ? nil : Source(parsing: beside(text)) ?? Source(.file, beside(text))
    }

    private func answers(_ map: NativeMap) -> [AnswerFile] {
        var found: [AnswerFile] = []
        var isNamed = false
        for kind in AnswerFile.Kind.allCases {
            isNamed = isNamed || map[kind.rawValue] != nil
            guard let text = map.text(kind.rawValue) else { continue }
            let path = beside(text)
            do {
                let (digest, size) = try files.read(path)
                found.append(AnswerFile(kind, path: path, digest: digest, size: size))
            } catch {
                problems.error(
                    map.place(kind.rawValue),
                    "cannot read the answer file '\(YAMLLoad.oneLine(path))': \(YAMLLoad.oneLine("\(error)"))")
            }
        }
        if !isNamed {
            problems.error(
                map.place,
                "an installation needs one of "
                    + AnswerFile.Kind.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", "))
        }
        return found
    }

    private func mac(_ map: NativeMap) -> String? {
        guard let text = map.text("mac") else { return nil }
        let bytes = text.split(separator: ":").compactMap { UInt8($0, radix: 16) }
        if bytes.first.map({ $0 & 1 == 1 }) ?? false || bytes.allSatisfy({ $0 == 0 }) {
            problems.error(
                map.place("mac"),
                "no machine can have the MAC address '\(text)'; the first byte must be even, and not all may be 0")
        }
        return text.lowercased()
    }

    /// What only images made of packages have: an installer is told such things by its answer file.
    func checkInstalled(_ root: NativeMap, _ image: ImageDefinition) {
        let foreign = [
            "hostname", "locale", "timezone", "packages", "apt_sources", "files", "commands", "users", "cloud_init",
            "kernel_arguments", "secrets",
        ]
        for key in foreign where root[key] != nil {
            problems.error(
                root.place(key), "'\(key)' is for images made of packages; tell the installer by its answer file")
        }
        if let disk = root.map("disk"), disk["table"] != nil {
            problems.error(disk.place("table"), "the installer makes the partition table; tell it by its answer file")
        }
        if case .automatic = image.disk.size {
            problems.error(
                root.map("disk")?.place("size") ?? root.place,
                "an installation needs the size of its disk: 'disk: {size: 4G}'")
        }
        refuseTrees(root, "an installation makes a disk: raw or qcow2")
        checkNoReset(root)
    }

    func refuseTrees(_ root: NativeMap, _ message: String) {
        for value in root.list("outputs") {
            guard let text = value.text ?? value.map?.text("format"), ["tar", "tar.zst"].contains(text) else {
                continue
            }
            problems.error(value.place, message)
        }
    }

    func destination(_ map: NativeMap, _ image: ImageDefinition) -> UploadDestination {
        let file = image.outputs.first?.fileName(of: image) ?? ""
        return UploadDestination(
            name: map.text("name") ?? "rsync", target: map.text("rsync") ?? "", arguments: map.texts("args"),
            commands: map.list("commands").map { command in
                command.elements.compactMap(\.text).map { $0.replacing("${image}", with: file) }
            })
    }
}
