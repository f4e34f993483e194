import Model
import SystemPackage
import Verify

/// Secrets of a definition in a packed tree.
enum TreeSecrets {
    /// Throws if the archive has one of them in any form that `SecretForms` knows.
    static func refuse(_ secrets: [SecretValue], in archive: FilePath) throws {
        let searched = secrets.map { VerifyFacts.Secret(name: $0.name, value: Array($0.value.utf8)) }
        guard !searched.isEmpty, let name = try SecretSearch.names(of: searched, in: archive).first else { return }
        throw FactoryError(
            .failed, "the tree has the secret '\(name)' in it",
            remedy: "read it from /run/secrets/\(name) where it is needed, and write it nowhere")
    }
}
