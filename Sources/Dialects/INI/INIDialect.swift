package import Model

/// An image of image-factory.conf as the command line asks for it.
package struct INIRequest: Hashable, Sendable {
    /// A value that an option of the command line gives a key: it takes the place of every file's.
    package struct Override: Hashable, Sendable {
        package var key: String
        package var value: String
        /// The option as a person writes it: `--image-size`.
        package var option: String

        package init(key: String, value: String, option: String) {
            self.key = key
            self.value = value
            self.option = option
        }
    }

    /// The name of the section.
    package var image: String
    package var overrides: [Override]

    package init(image: String, overrides: [Override] = []) {
        self.image = image
        self.overrides = overrides
    }
}

/// What reading a configuration takes from the outside world: a dialect has no other way to it.
package struct INISurroundings {
    /// IMAGE_FACTORY_CONFIG, where it is set: the only file that is read.
    package var configurationFile: String?
    /// The user's home folder.
    package var home: String?
    /// The folder that relative paths start from; absolute.
    package var folder: String
    /// Today in local time, as `2026-11-21`.
    package var date: String
    /// The bytes of a regular file, nil if there is none.
    package var read: (String) throws -> [UInt8]?
    package var files: LocalFiles

    package init(
        configurationFile: String? = nil, home: String?, folder: String, date: String,
        read: @escaping (String) throws -> [UInt8]?, files: LocalFiles
    ) {
        self.configurationFile = configurationFile
        self.home = home
        self.folder = folder
        self.date = date
        self.read = read
        self.files = files
    }
}

/// An image of image-factory.conf that was read.
package struct INIImage {
    package var definition: ImageDefinition
    package var warnings: [Diagnostic]
    /// `cache_dir`, where it is given; `~` is replaced.
    package var cacheFolder: String?
    /// Of the configuration files, one after the other as they were read.
    package var source: Digest
}

/// The configuration of image-factory 1.0.2, image-factory.conf: read, check, lower.
package enum INIDialect {
    /// Throws all problems at once as `InvalidInput`, or a `FactoryError` where there is no place to show.
    /// Both have the exit status of the older program.
    package static func parse(_ request: INIRequest, in surroundings: INISurroundings) throws -> INIImage {
        let problems = INIProblems()
        var configuration = INIConfiguration()
        var source: [UInt8] = []
        let files = try configurationFiles(surroundings)
        for file in files {
            guard let bytes = try bytes(of: file, surroundings, problems) else { continue }
            problems.begin(file)
            source += bytes
            INIReader.read(bytes, file: file, into: &configuration) { _, place, message in
                problems.error(place, message)
            }
        }
        // A file that is not read whole would be blamed for keys that it has.
        guard !problems.hasErrors else { throw InvalidInput(problems.sorted, code: .failed) }
        let isDefined = configuration.contains(request.image)
        override(&configuration, by: request, problems)
        let section = INISection(name: request.image, configuration, problems)
        guard isDefined || section.hasMedium else { throw missing(request.image, configuration, files) }
        let lowering = INILowering(section: section, surroundings: surroundings, problems: problems)
        let result = lowering.image()
        guard let result, !problems.hasErrors else { throw InvalidInput(problems.sorted, code: .failed) }
        INIUnknownKeys.warn(in: section, problems)
        return INIImage(
            definition: result.definition, warnings: problems.sorted, cacheFolder: result.cacheFolder,
            source: Digest(of: source))
    }

    /// In the order in which they are read: later ones win.
    private static func configurationFiles(_ surroundings: INISurroundings) throws -> [String] {
        guard let only = surroundings.configurationFile else {
            return ["/etc/image-factory.conf"]
                + (surroundings.home.map { [$0 + "/.config/image-factory.conf"] } ?? [])
        }
        let bytes: [UInt8]?
        do { bytes = try surroundings.read(only) } catch { bytes = nil }
        guard bytes != nil else {
            throw FactoryError(
                .failed, "'\(INIProblems.quoted(only))' (set in IMAGE_FACTORY_CONFIG) is not a valid file.",
                remedy: "set IMAGE_FACTORY_CONFIG to a file that you may read, or unset it")
        }
        return [only]
    }

    /// Files that are not there are none of the configuration; one that cannot be read is, as ConfigParser has it.
    private static func bytes(
        of file: String, _ surroundings: INISurroundings, _ problems: INIProblems
    ) throws -> [UInt8]? {
        do {
            return try surroundings.read(file)
        } catch {
            problems.warn(INIPlace(file: file, line: 1, column: 1), "the file is left out: \(error)")
            return nil
        }
    }

    private static func override(
        _ configuration: inout INIConfiguration, by request: INIRequest, _ problems: INIProblems
    ) {
        configuration.addSection(request.image, INIPlace(file: "image-factory.conf", line: 1, column: 1))
        for override in request.overrides {
            let place = INIPlace(file: override.option, line: 1, column: 1)
            let text = INIText(override.value)
            if let dollar = INIInterpolation.strayDollar(in: text) {
                problems.error(
                    place.moved(by: dollar),
                    "invalid interpolation syntax in '\(INIProblems.quoted(override.value))' at position \(dollar); "
                        + "write '$$' for a dollar sign")
                continue
            }
            configuration.set(
                INIOption(key: override.key, place: place, value: INIValue(text, place)), in: request.image)
        }
    }

    private static func missing(_ image: String, _ configuration: INIConfiguration, _ files: [String]) -> FactoryError {
        let images = configuration.names.filter { INISection.hasMedium($0, configuration) }
        let remedy =
            INIProblems.nearest(image, among: images).map { "did you mean '\($0)'?" }
            ?? "add the section to \(files.last ?? "image-factory.conf"); "
            + "a definition of its own is given by a path with a slash in it"
        return FactoryError(
            .failed, "No section '\(INIProblems.quoted(image))' defined in image-factory.conf.", remedy: remedy)
    }
}
