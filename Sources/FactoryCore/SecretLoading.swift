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
            guard value.utf8.count <= longest, !value.utf8.contains(0) else { throw notText(secret) }
            return SecretValue(name: secret.name, value: value)
        }
    }

    /// Those that the definition itself has: known without asking for any other.
    static func inlineValues(of definition: ImageDefinition) -> [SecretValue] {
        definition.secrets.compactMap { secret in
            guard case .inline(let text) = secret.source else { return nil }
            return SecretValue(name: secret.name, value: text.value)
        }
    }

    /// A plan is kept and printed: a secret that stands in the definition twice, by a variable or by mistake, would be too.
    static func refuse(_ secrets: [SecretValue], in plan: BuildPlan) throws {
        guard !secrets.isEmpty else { return }
        let text = String(decoding: try Canonical.bytes(plan), as: UTF8.self)
        for secret in secrets {
            let written = String(decoding: try Canonical.bytes(secret.value), as: UTF8.self).dropFirst().dropLast()
            guard !written.isEmpty, text.contains(written) else { continue }
            throw FactoryError(
                .definition, "the secret '\(secret.name)' stands in the definition outside of secrets:",
                remedy: "read it from /run/secrets/\(secret.name) in commands, and write it nowhere else")
        }
    }

    private static func notText(_ secret: SecretDeclaration) -> FactoryError {
        FactoryError(
            .definition, "the secret '\(secret.name)' is no text of at most 64 KiB",
            remedy: "give it in base64, and let the command that needs it decode it")
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
                var bytes = try DurableFile.read(FilePath(path), limit: longest + 3)
                if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
                if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
                guard let text = String(validating: bytes, as: UTF8.self) else { throw notText(secret) }
                return text
            } catch let error as FactoryError {
                throw error
            } catch {
                throw FactoryError(
                    .missingInput, "cannot read the secret '\(secret.name)' from \(path): \(error)",
                    remedy: "check the path and its mode")
            }
        }
    }
}
