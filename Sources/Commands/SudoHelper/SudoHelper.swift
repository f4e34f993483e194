import Glibc

/// `image-factory-sudo-helper`, for sites whose sudo rules name it. image-factory 1.0.2 called it as root to mount images;
/// nothing calls it any more. It understands what it was asked for as it did, and does none of it.
package enum SudoHelper {
    package static let name = "image-factory-sudo-helper"

    /// What the older program let it do.
    enum Operation: Hashable {
        case changeMode(String, path: String, isRecursive: Bool)
        case mount(device: String, path: String)
        case unmount(path: String)
    }

    struct Answer: Hashable {
        var output = ""
        var error = ""
        var status: Int32
    }

    /// Does not return.
    static func main(_ arguments: [String]) -> Never {
        let answer = answer(arguments, isDry: getenv("DRYRUN").map { $0.pointee != 0 } ?? false)
        _ = TextOutput(descriptor: STDOUT_FILENO).write(answer.output)
        _ = TextOutput(descriptor: STDERR_FILENO).write(answer.error)
        exit(answer.status)
    }

    /// - Parameter isDry: whether DRYRUN is set in the environment, of which nothing else is looked at.
    static func answer(_ arguments: [String], isDry: Bool) -> Answer {
        let joined = Printable.line(arguments.joined(separator: " "), unicode: true)
        guard let operation = operation(arguments), !leadsElsewhere(operation.path) else {
            return Answer(error: "\(name): Command '\(joined)' not allowed.\n", status: 1)
        }
        if isDry { return Answer(output: "\(name): \(joined)\n", status: 0) }
        return Answer(
            error: "\(name): '\(joined)' is not done: image-factory needs no privileges any more.\n"
                + "hint: remove \(name) from the rules of sudo\n", status: 1)
    }

    /// Nil for what was never allowed, and for what its check let pass by mistake: arguments with blanks in them, empty
    /// modes and names, paths with `..`.
    static func operation(_ arguments: [String]) -> Operation? {
        switch arguments.first {
        case "chmod":
            let isRecursive = arguments.count == 4 && arguments[1] == "-R"
            guard arguments.count == 3 || isRecursive, let path = arguments.last, isPlace(path) else { return nil }
            let mode = arguments[arguments.count - 2]
            guard mode.wholeMatch(of: /o[+-](r?w?x?)/)?.output.1.isEmpty == false else { return nil }
            return .changeMode(mode, path: path, isRecursive: isRecursive)
        case "mount":
            guard arguments.count == 3, arguments[1].wholeMatch(of: /\/dev\/loop[0-9]+/) != nil,
                isPlace(arguments[2])
            else { return nil }
            return .mount(device: arguments[1], path: arguments[2])
        case "umount":
            guard arguments.count == 2, isPlace(arguments[1]) else { return nil }
            return .unmount(path: arguments[1])
        default: return nil
        }
    }

    /// A folder for mounting, or something in it.
    private static func isPlace(_ path: String) -> Bool {
        path.wholeMatch(of: /\/tmp\/image-factory\.[A-Za-z0-9_\-]+(\/\.?[A-Za-z0-9_\-]+(\.[A-Za-z0-9_\-]+)*)*/) != nil
    }

    /// Whether a part of the path is a link.
    private static func leadsElsewhere(_ path: String) -> Bool {
        var place = ""
        for part in path.split(separator: "/") {
            place += "/" + part
            var facts = stat()
            if lstat(place, &facts) == 0, facts.st_mode & S_IFMT == S_IFLNK { return true }
        }
        return false
    }
}

extension SudoHelper.Operation {
    var path: String {
        switch self {
        case .changeMode(_, let path, _), .mount(_, let path), .unmount(let path): path
        }
    }
}
