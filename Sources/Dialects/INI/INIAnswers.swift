import Model

/// What answers the installer's questions.
struct INIAnswers {
    private static let kinds: [(key: String, kind: AnswerFile.Kind)] = [
        ("preseed", .preseed), ("kickstart", .kickstart), ("yast", .autoyast), ("autoinstall", .autoinstall),
    ]

    let section: INISection
    let surroundings: INISurroundings
    let problems: INIProblems
    let absolute: (String) -> String

    func files() -> [AnswerFile] {
        var found: [AnswerFile] = []
        var isNamed = false
        for (key, kind) in Self.kinds {
            isNamed = isNamed || !section.isEmpty(key)
            guard let value = section.line(key) else { continue }
            let path = absolute(value.text)
            do {
                let (digest, size) = try surroundings.files.read(path)
                found.append(AnswerFile(kind, path: path, digest: digest, size: size))
            } catch {
                problems.error(
                    value.place, "cannot read the answer file '\(INIProblems.quoted(path))' of '\(key)': \(error)")
            }
        }
        if !isNamed {
            problems.error(
                section.place,
                "No option 'preseed', 'kickstart', 'yast' or 'autoinstall' defined in section "
                    + "'\(INIProblems.quoted(section.name))' in image-factory.conf.")
        }
        return found
    }
}
