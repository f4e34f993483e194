import Model

extension NativeLowering {
    /// What a build has of ids: files of other owners cannot be made in its namespace.
    private static var mostIDs: UInt32 { 65535 }

    func fileChange(_ map: NativeMap) -> FileChange {
        let owner = (map.text("owner") ?? "root").split(separator: ":").map(String.init)
        let path = map.text("path") ?? ""
        if path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
            .contains(where: { $0.isEmpty || $0 == "." || $0 == ".." }), !path.isEmpty
        {
            problems.error(
                map.place("path"),
                "the path '\(YAMLLoad.quoted(path))' must have no '//', '/./' or '/../' and end in a name")
        }
        let group = owner.count > 1 ? owner[1] : map.text("group") ?? "root"
        for (key, name) in [("owner", owner[0]), (owner.count > 1 ? "owner" : "group", group)] {
            guard let number = UInt32(name), number > Self.mostIDs else { continue }
            problems.error(map.place(key), "'\(name)' is not a number up to \(Self.mostIDs)")
        }
        return FileChange(
            path: path, content: content(map), owner: owner[0], group: group,
            mode: map.text("mode").flatMap { UInt16($0, radix: 8) } ?? 0o644)
    }

    private func content(_ map: NativeMap) -> FileChange.Content {
        switch (map.text("content"), map.text("source")) {
        case (let text?, nil): return .inline(text)
        case (nil, let source?):
            let path = beside(source)
            do {
                let (digest, size) = try files.read(path)
                return .local(path: path, digest: digest, size: size)
            } catch {
                problems.error(
                    map.place("source"),
                    "cannot read the local file '\(YAMLLoad.oneLine(path))': \(YAMLLoad.oneLine("\(error)"))")
            }
        case (nil, nil):
            if map["content"] == nil, map["source"] == nil {
                problems.error(map.place, "a file needs 'content' or 'source'")
            }
        default: problems.error(map.place("source"), "a file has either 'content' or 'source'")
        }
        return .inline("")
    }

    /// A path that is relative to the definition's folder, or absolute.
    func beside(_ path: String) -> String {
        path.hasPrefix("/") ? path : folder == "/" ? "/" + path : folder + "/" + path
    }

    /// The key is not looked at here, nor anywhere in this program: minisign reads it.
    func signing(_ map: NativeMap) -> Signing {
        Signing(key: beside(map.text("key") ?? ""), passwordFile: map.text("password_file").map(beside))
    }

    func command(_ value: NativeValue) -> CommandChange? {
        if let text = value.text { return CommandChange(run: text) }
        guard let map = value.map, let run = map.text("run") else { return nil }
        return CommandChange(run: run, moment: map.text("when").flatMap(CommandChange.Moment.init) ?? .build)
    }

    func user(_ map: NativeMap) -> UserAccount {
        var uid: UInt32?
        if let text = map.text("uid") {
            uid = UInt32(text)
            if uid.map({ $0 > Self.mostIDs }) ?? true {
                problems.error(map.place("uid"), "'\(text)' is not a number up to \(Self.mostIDs)")
            }
        }
        let sudo = map["sudo"]
        return UserAccount(
            name: map.text("name") ?? "", uid: uid, comment: map.text("comment") ?? "", groups: map.texts("groups"),
            shell: map.text("shell") ?? "/bin/bash", sshKeys: map.texts("ssh_keys"),
            sudo: sudo?.text.map { [$0] } ?? map.texts("sudo"), passwordHash: map.text("password_hash"))
    }

    func outputs(_ root: NativeMap) -> [Output] {
        var outputs: [Output] = []
        for value in root.list("outputs") {
            guard let format = (value.text ?? value.map?.text("format")).flatMap(Output.Format.init) else { continue }
            var output = Output(format)
            if let map = value.map, let compression = map.text("compression").flatMap(Output.Compression.init) {
                if format != .qcow2 {
                    problems.error(map.place("compression"), "only qcow2 has a choice of compression")
                }
                output.compression = compression
            }
            if outputs.contains(where: { $0.format == format }) {
                problems.error(value.place, "the output '\(format.rawValue)' is there twice")
            }
            outputs.append(output)
        }
        return outputs
    }

    func verify(_ map: NativeMap) -> VerifySettings {
        let waivers = map.list("waivers").compactMap(\.map)
        for waiver in waivers {
            guard let rule = waiver.text("rule"), let problem = rules.problem(rule) else { continue }
            problems.error(waiver.place("rule"), problem)
        }
        unique(map.list("waivers"), "rule", "the waiver of")
        return VerifySettings(
            waivers: waivers.map { .init(rule: $0.text("rule") ?? "", reason: $0.text("reason") ?? "") },
            isStrict: map.text("strict") == "true")
    }

    func secret(_ map: NativeMap) -> SecretDeclaration? {
        let given = ["env", "file", "secret"].filter { map[$0] != nil }
        guard given.count == 1 else {
            problems.error(map.place, "a secret needs one of 'env', 'file' and 'secret'")
            return nil
        }
        guard let name = map.text("name"), let text = map.text(given[0]) else { return nil }
        switch given[0] {
        case "env": return SecretDeclaration(name: name, source: .environment(text))
        case "file":
            return SecretDeclaration(name: name, source: .file(beside(text)))
        default:
            if text.utf8.count < 8 {
                problems.error(
                    map.place("secret"), "a secret has at least 8 bytes: a shorter one cannot be searched for")
            }
            return SecretDeclaration(name: name, source: .inline(SecretText(text)))
        }
    }

    func bootCheck(_ root: NativeMap) -> BootCheck {
        if let flag = root.text("boot_check") { return BootCheck(enabled: flag == "true") }
        guard let limit = root.map("boot_check")?.text("limit") else { return BootCheck() }
        guard let seconds = NativeKeys.seconds(limit), seconds <= 86400 else {
            problems.error(root.place("boot_check"), "the limit of a boot check is between 1s and 24h")
            return BootCheck()
        }
        return BootCheck(limitSeconds: seconds)
    }
}

extension NativeKeys {
    /// A length of time in seconds; nil if it is none, or 0 or too long for a number.
    static func seconds(_ text: String) -> UInt32? {
        guard let number = UInt32(text.dropLast()), number > 0 else { return nil }
        let unit: UInt32 = text.hasSuffix("h") ? 3600 : text.hasSuffix("m") ? 60 : 1
        let (seconds, overflow) = number.multipliedReportingOverflow(by: unit)
        return overflow ? nil : seconds
    }
}
