import Dialects
import Glibc
import Model
import Store
import SystemPackage

extension Factory {
    /// Reads what a build is asked for, and nothing else: with a mistake in it, nothing is created.
    /// Throws `InvalidInput` with all problems, or `FactoryError`.
    func load(_ request: BuildRequest) throws -> LoadedDefinition {
        let day = LocalDate.day(clock.now())
        var loaded =
            switch request.definition {
            case .file(let path): try DefinitionLoading.load(path, set: request.set)
            case .image(let image, let settings): try load(image, settings, day)
            }
        loaded.day = day
        guard request.lock != .none else { return loaded }
        let reason: String
        switch loaded.definition.base {
        case .bootstrap: return loaded
        case .netinstall: reason = "is installed by an installer"
        case .image: reason = "is made of another image"
        }
        throw FactoryError(
            .usage, "a lock is for images made of packages, and this one \(reason)",
            remedy: "leave out --locked and --update-lock")
    }

    /// The same, with all that can be told of an installation or a base image before anything is begun.
    func loadChecked(_ request: BuildRequest) async throws -> LoadedDefinition {
        var loaded = try load(request)
        if case .image(let base) = loaded.definition.base, let source = base.input?.source {
            try InstallationCheck.requireFile(source, "the base image")
        }
        guard case .netinstall(let install) = loaded.definition.base else { return loaded }
        let code = request.definition.isImage ? FactoryError.Code.failed : .definition
        loaded.notes = try await InstallationCheck(runner: runner).check(install, code: code)
        return loaded
    }

    /// Runs what a request asks for. image-factory 1.0.2 has no other exit status of its own than 1.
    func answering<Value>(_ request: BuildRequest, _ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch var error as FactoryError where request.definition.isImage && error.code != .usage {
            error.status = error.status ?? FactoryError.Code.failed.rawValue
            throw error
        }
    }

    /// An image of image-factory.conf.
    private func load(_ image: String, _ settings: [ImageSetting], _ day: String) throws -> LoadedDefinition {
        let result = try INIDialect.parse(
            INIRequest(
                image: image, overrides: settings.map { .init(key: $0.key, value: $0.value, option: $0.option) }),
            in: try surroundings(day))
        return LoadedDefinition(
            definition: result.definition, warnings: result.warnings,
            localFiles: result.definition.answerFiles, source: result.source,
            cacheFolder: result.cacheFolder.map { FilePath($0) })
    }

    private func surroundings(_ day: String) throws -> INISurroundings {
        guard let folder = getcwd(nil, 0) else {
            throw FactoryError(.osFailure, "the current folder is gone", remedy: "change to a folder that is there")
        }
        defer { free(folder) }
        return INISurroundings(
            configurationFile: environment["IMAGE_FACTORY_CONFIG"],
            home: environment["HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil },
            folder: String(cString: folder), date: day, read: Self.configuration,
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
        let parts = parts(seconds)
        return "\(parts.tm_year + 1900)-\(digits(parts.tm_mon + 1))-\(digits(parts.tm_mday))"
    }

    /// `2026-11-21 10:06:22,123` of seconds since 1970.
    static func time(_ seconds: Double) -> String {
        let parts = parts(seconds)
        let milliseconds = Int32((seconds - seconds.rounded(.down)) * 1000)
        return "\(day(seconds)) \(digits(parts.tm_hour)):\(digits(parts.tm_min)):\(digits(parts.tm_sec)),"
            + digits(max(0, min(milliseconds, 999)), 3)
    }

    private static func parts(_ seconds: Double) -> tm {
        // Years of four digits are all that is shown.
        var time = time_t(max(0, min(seconds, 253_402_300_799)))
        var parts = tm()
        localtime_r(&time, &parts)
        return parts
    }

    private static func digits(_ number: Int32, _ count: Int = 2) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
    }
}
