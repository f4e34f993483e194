import Model
import Steps
import Store
import SystemPackage
import Verify

/// The values of a definition's secrets, read when a build starts and never before.
enum SecretLoading {
    private static let longest = 1 << 16

    static func values(of definition: ImageDefinition, environment: [String: String]) throws -> [SecretValue] {
        try definition.secrets.map { secret in
            let value = try value(of: secret, environment)
            guard value.utf8.count >= SecretForms.shortest else {
                throw FactoryError(
                    .definition, "the secret '\(secret.name)' has less than \(SecretForms.shortest) bytes",
                    remedy: "give a longer one: a shorter one cannot be searched for in the image")
            }
            guard value.utf8.count <= longest, !value.utf8.contains(0) else {
                throw FactoryError(.definition, "the secret '\(secret.name)' is no text of at most 64 KiB")
            }
            return SecretValue(name: secret.name, value: value)
        }
    }

    /// A plan is kept and printed: a secret that stands in the definition twice, by a variable or by mistake, would be too.
    static func refuse(_ secrets: [SecretValue], in plan: BuildPlan) throws {
        guard !secrets.isEmpty else { return }
        let text = String(decoding: try Canonical.bytes(plan), as: UTF8.self)
        for secret in secrets {
            let written = String(decoding: try Canonical.bytes(secret.value), as: UTF8.self).dropFirst().dropLast()
            guard text.contains(written) else { continue }
            throw FactoryError(
                .definition, "the secret '\(secret.name)' stands in the definition outside of secrets:",
                remedy: "read it from /run/secrets/\(secret.name) in commands, and write it nowhere else")
        }
    }

    private static func value(of secret: SecretDeclaration, _ environment: [String: String]) throws -> String {
        switch secret.source {
        case .inline(let text): return text.value
        case .environment(let name):
            guard let value = environment[name] else {
                throw FactoryError(
                    .missingInput, "the secret '\(secret.name)' has no value: the variable \(name) is not set",
                    remedy: "set it in the environment: export \(name)=…")
            }
            return value
        case .file(let path):
            do {
                let text = String(decoding: try DurableFile.read(FilePath(path)), as: UTF8.self)
                return text.hasSuffix("\n") ? String(text.dropLast()) : text
            } catch {
                throw FactoryError(
                    .missingInput, "cannot read the secret '\(secret.name)' from \(path): \(error)",
                    remedy: "check the path and its mode")
            }
        }
    }
}
