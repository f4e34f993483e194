import Model

/// Where an image is taken when it is done.
struct INIUploads {
    let section: INISection
    let problems: INIProblems

    /// - Parameter image: the file name of the image, which destinations know as `${image}`.
    func destinations(of image: String) -> [UploadDestination] {
        guard let list = section.read("upload_destinations") else { return [] }
        let names = list.text.split(separator: ",").map { $0.trimmingINIBlanks }.filter { !$0.isEmpty }
        return names.compactMap { name in
            guard section.configuration.contains(name) else {
                problems.error(list.place, missing("upload_type", name) + hint(name))
                return nil
            }
            var configuration = section.configuration
            let place = INIPlace(file: "${image}", line: 1, column: 1)
            configuration.set(
                INIOption(key: "image", place: place, value: INIValue(INIText(image), place)), in: name)
            return destination(INISection(name: name, configuration, problems))
        }
    }

    private func destination(_ section: INISection) -> UploadDestination? {
        let kind = kind(section)
        let target = section.line("upload_target")
        if target == nil, section.isEmpty("upload_target") {
            problems.error(section.place, missing("upload_target", section.name))
        }
        let arguments = section.words("upload_args")
        let commands = commands(section)
        guard let kind, let target else { return nil }
        return UploadDestination(
            name: section.name, kind: kind, target: target.text, arguments: arguments, commands: commands)
    }

    private func kind(_ section: INISection) -> UploadDestination.Kind? {
        guard let value = section.line("upload_type") else {
            if section.isEmpty("upload_type") {
                problems.error(section.place, missing("upload_type", section.name))
            }
            return nil
        }
        if let kind = UploadDestination.Kind(rawValue: value.text.lowercased()) { return kind }
        let types = UploadDestination.Kind.allCases.map(\.rawValue)
        problems.error(
            value.place,
            "Unknown upload type '\(INIProblems.quoted(value.text))' specified. Supported types: "
                + types.joined(separator: ", ") + INISection.guess(value.text, types))
        return nil
    }

    /// The one without a number, then 1, 2, … up to the first that is not there.
    private func commands(_ section: INISection) -> [[String]] {
        let base = "post-upload-command"
        var found = [section.words(base)]
        var next = 1
        while section.has(base + "\(next)") {
            found.append(section.words(base + "\(next)"))
            next += 1
        }
        for key in section.configuration.keys(of: section.name) where key.hasPrefix(base) {
            guard let number = Int(key.dropFirst(base.count)), number > next,
                let option = section.configuration.option(key, in: section.name)
            else { continue }
            problems.warn(option.place, "'\(key)' is never run, since there is no '\(base)\(next)'")
        }
        return found.filter { !$0.isEmpty }
    }

    private func missing(_ key: String, _ name: String) -> String {
        "No '\(key)' defined in the upload destination section '\(INIProblems.quoted(name))'."
    }

    private func hint(_ name: String) -> String {
        INIProblems.nearest(name, among: section.configuration.names).map { " Did you mean the section '\($0)'?" }
            ?? " There is no such section."
    }
}

extension Substring {
    fileprivate var trimmingINIBlanks: String { INIText(String(self)).stripped.string }
}
