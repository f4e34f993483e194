/// What the rules of `verify` need to know of an image: what its definition declares is no violation. It is part of the
/// step's identity, so it holds nothing of the host.
package struct VerifyPolicy: Hashable, Sendable, Codable {
    /// Nil where nothing is known of the definition: then any name but localhost is told.
    package var hostname: String?
    package var users: [UserAccount]
    /// The URIs that the image's package sources may name; nil means any.
    package var sources: [String]?
    /// Paths of the definition's own files.
    package var files: [String]
    /// Names of the secrets that the build had; their values come by another way.
    package var secrets: [String]
    package var waivers: [Waiver]
    /// Warnings are violations too.
    package var isStrict: Bool
    /// Nothing is a violation: what is found is only told. For answer files of image-factory 1.0.2, which know no rules.
    package var isAdvisory: Bool

    package init(
        hostname: String? = nil, users: [UserAccount] = [], sources: [String]? = nil, files: [String] = [],
        secrets: [String] = [], waivers: [Waiver] = [], isStrict: Bool = false, isAdvisory: Bool = false
    ) {
        self.hostname = hostname
        self.users = users
        self.sources = sources
        self.files = files
        self.secrets = secrets
        self.waivers = waivers
        self.isStrict = isStrict
        self.isAdvisory = isAdvisory
    }

    /// A rule that may be broken, and why.
    package struct Waiver: Hashable, Sendable, Codable {
        package var rule: String
        package var reason: String

        package init(rule: String, reason: String) {
            self.rule = rule
            self.reason = reason
        }
    }
}

/// What a definition says of the check.
package struct VerifySettings: Hashable, Sendable, Codable {
    package var waivers: [VerifyPolicy.Waiver]
    package var isStrict: Bool
    package var isAdvisory: Bool

    package init(waivers: [VerifyPolicy.Waiver] = [], isStrict: Bool = false, isAdvisory: Bool = false) {
        self.waivers = waivers
        self.isStrict = isStrict
        self.isAdvisory = isAdvisory
    }
}

/// Something that the image must not have.
package struct VerifyFinding: Hashable, Sendable, Codable {
    package enum Verdict: String, Hashable, Sendable, Codable {
        case error
        case warning
    }

    package var rule: String
    package var verdict: Verdict
    /// A path in the image, its bytes escaped, or a place of the disk.
    package var path: String
    /// What is there, without the content of anything that may be secret.
    package var message: String
    /// The beginning of the SHA-256 of what was found, to know it again by.
    package var evidence: String?
    package var hint: String
    /// The reason of the waiver that lets it pass.
    package var waiver: String?

    package init(
        rule: String, verdict: Verdict, path: String, message: String, evidence: String? = nil, hint: String,
        waiver: String? = nil
    ) {
        self.rule = rule
        self.verdict = verdict
        self.path = path
        self.message = message
        self.evidence = evidence
        self.hint = hint
        self.waiver = waiver
    }
}

/// `verify.json`: all that the rules found.
package struct VerifyReport: Hashable, Sendable, Codable {
    /// The ids of the rules that were applied.
    package var rules: [String]
    package var isStrict: Bool
    /// Nil, as in reports of earlier versions: no.
    package var isAdvisory: Bool?
    /// By rule, then by path.
    package var findings: [VerifyFinding]

    package init(rules: [String], isStrict: Bool, isAdvisory: Bool = false, findings: [VerifyFinding]) {
        self.rules = rules
        self.isStrict = isStrict
        self.isAdvisory = isAdvisory ? true : nil
        self.findings = findings
    }

    /// The findings that make the image one that must not be published.
    package var violations: [VerifyFinding] {
        guard isAdvisory != true else { return [] }
        return findings.filter { $0.waiver == nil && ($0.verdict == .error || isStrict) }
    }
}
