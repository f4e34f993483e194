import Dialects
import Glibc
import Model
import Planning
import Store
import SystemPackage

extension Factory {
    /// Reads what a build is asked for, and nothing else: with a mistake in it, nothing is created.
    /// Throws `InvalidInput` with all problems, or `FactoryError`.
    func load(_ request: BuildRequest) throws -> LoadedDefinition {
        let loaded =
            switch request.definition {
            case .file(let path): try DefinitionLoading.load(path, set: request.set)
            case .image(let image, let settings): try load(image, settings)
            }
        try Planner.check(loaded.definition)
        return loaded
    }

    /// An image of image-factory.conf.
    private func load(_ image: String, _ settings: [ImageSetting]) throws -> LoadedDefinition {
        let result = try INIDialect.parse(
            INIRequest(
                image: image, overrides: settings.map { .init(key: $0.key, value: $0.value, option: $0.option) }),
            in: try surroundings())
        var localFiles: [Digest: FilePath] = [:]
        if case .netinstall(let install) = result.definition.base {
            for answer in install.answers { localFiles[answer.digest] = FilePath(answer.path) }
        }
        return LoadedDefinition(
            definition: result.definition, warnings: result.warnings, localFiles: localFiles, source: result.source,
            cacheFolder: result.cacheFolder.map { FilePath($0) })
    }

    private func surroundings() throws -> INISurroundings {
        guard let folder = getcwd(nil, 0) else {
            throw FactoryError(.osFailure, "the current folder is gone", remedy: "change to a folder that is there")
        }
        defer { free(folder) }
        return INISurroundings(
            configurationFile: environment["IMAGE_FACTORY_CONFIG"],
            home: environment["HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil },
            folder: String(cString: folder), date: LocalDate.day(clock.now()), read: Self.configuration,
            files: LocalFiles(read: DefinitionLoading.digest))
    }

    /// Nil for what is no file.
    private static func configuration(_ path: String) throws -> [UInt8]? {
        var facts = stat()
        guard stat(path, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else { return nil }
        return try DurableFile.read(FilePath(path))
    }
}

/// Dates where the machine is.
enum LocalDate {
    /// `2026-11-21` of seconds since 1970.
    static func day(_ seconds: Double) -> String {
        var time = time_t(max(0, min(seconds, 253_402_300_799)))
        var parts = tm()
        localtime_r(&time, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
    }
}
