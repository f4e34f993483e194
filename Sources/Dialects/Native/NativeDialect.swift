package import Model
import Yams

/// The releases that a definition may name; distribution knowledge itself lives elsewhere.
package struct DistributionNames: Sendable {
    /// Distribution, then its releases: code name and other names.
    var known: [(name: String, releases: [(codename: String, aliases: [String])], components: [String])]

    package init(_ known: [(name: String, releases: [(codename: String, aliases: [String])], components: [String])]) {
        self.known = known
    }
}

/// How a dialect reads local input files: it has no other way to the host.
package struct LocalFiles {
    /// Digest and size of the file at a path. Throws if it cannot be read.
    package var read: (String) throws -> (Digest, ByteCount)

    package init(read: @escaping (String) throws -> (Digest, ByteCount)) { self.read = read }
}

/// The rules that a definition may waive; what they are is known elsewhere.
package struct RuleNames: Sendable {
    /// Why the rule of an id cannot be waived, nil if it can.
    var problem: @Sendable (String) -> String?

    package init(problem: @escaping @Sendable (String) -> String?) { self.problem = problem }
}

/// The native definition, a YAML file: load, check, lower.
package enum NativeDialect {
    /// The definition with the warnings that it gave. Throws all problems of the file at once, in its order.
    package static func parse(
        bytes: [UInt8], file: String, set: [(String, String)], distributions: DistributionNames, files: LocalFiles,
        rules: RuleNames = RuleNames { _ in nil }
    ) throws(InvalidInput) -> (definition: ImageDefinition, warnings: [Diagnostic]) {
        let problems = YAMLProblems(file: file)
        guard let root = YAMLLoad.node(bytes, problems) else { throw InvalidInput(problems.sorted) }
        let variables = declare(root, set, problems)
        let value = NativeCheck(problems: problems, variables: variables).value(root, .map(NativeKeys.root))
        var definition: ImageDefinition?
        if case .map(let entries, let place) = value {
            let lowering = NativeLowering(
                problems: problems, distributions: distributions, files: files, rules: rules,
                folder: folder(of: file))
            definition = lowering.definition(NativeMap(entries, place))
        }
        guard let definition, !problems.hasErrors else { throw InvalidInput(problems.sorted) }
        return (definition, problems.sorted)
    }

    private static func declare(
        _ root: Node, _ set: [(String, String)], _ problems: YAMLProblems
    ) -> NativeVariables {
        var variables = NativeVariables()
        var place = YAMLLoad.place(root.mark)
        if case .mapping(let mapping) = root, let node = mapping["variables"] {
            place = YAMLLoad.place(node.mark)
            if case .mapping(let entries) = node {
                for (key, value) in entries { declare(key, value, set, &variables, problems) }
            }
        }
        for (name, value) in set {
            if variables.values[name] == nil {
                let near = NearestName.to(name, among: variables.values.keys.sorted())
                let hint = near.map { "; did you mean '\($0)'?" } ?? "; add it to variables:"
                problems.error(place, "--set gives '\(YAMLLoad.quoted(name))', which is not declared\(hint)")
            } else {
                variables.declare(name, value)
            }
        }
        return variables
    }

    private static func declare(
        _ key: Node, _ value: Node, _ set: [(String, String)], _ variables: inout NativeVariables,
        _ problems: YAMLProblems
    ) {
        guard case .scalar(let name) = key, NativeVariables.isName(name.string) else {
            problems.error(
                YAMLLoad.place(key.mark), "a variable's name has letters, digits and '_', and starts with no digit")
            return
        }
        guard case .scalar(let text) = value else {
            problems.error(YAMLLoad.place(value.mark), "the value of a variable must be a text")
            return
        }
        // A value given by --set replaces this one; its own variables are then of no interest.
        let given = set.last { $0.0 == name.string }?.1
        let own =
            given ?? variables.replaced(
                in: text.string, at: YAMLLoad.place(value.mark), keepingUnknown: false, problems) ?? ""
        variables.declare(name.string, own)
    }

    private static func folder(of file: String) -> String {
        guard let slash = file.lastIndex(of: "/") else { return "." }
        return slash == file.startIndex ? "/" : String(file[..<slash])
    }
}
