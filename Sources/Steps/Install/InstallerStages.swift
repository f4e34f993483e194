/// Knows from the lines of an installer's console or log what it is doing. Pure: lines in, texts for people out.
struct InstallerStages: Sendable {
    /// What the installer does, and the package it does it with.
    struct Stage: Hashable, Sendable {
        var text: String
        var package: String?

        /// `unpacking and configuring packages: openssh-server`.
        var description: String { package.map { "\(text): \($0)" } ?? text }
    }

    private struct Sign {
        /// What the line holds.
        var words: String
        var stage: String
        /// Whether the word after `words` is a package.
        var namesPackage = false
    }

    private(set) var stage: Stage?

    /// The new stage; nil if the line tells none, or the one that is known.
    mutating func read(_ line: String) -> Stage? {
        guard let found = Self.stage(of: line), found != stage else { return nil }
        stage = found
        return found
    }

    private static func stage(of line: String) -> Stage? {
        for sign in signs {
            guard let place = range(of: sign.words, in: line) else { continue }
            guard sign.namesPackage else { return Stage(text: sign.stage) }
            let rest = line[place.upperBound...].drop { $0 == " " || $0 == ":" }
            let name = rest.prefix { !$0.isWhitespace && $0 != "," }
            // A number is not a package: `Installing 3 packages`.
            guard isPackage(name) else { continue }
            return Stage(text: sign.stage, package: String(withoutArchitecture(name)))
        }
        return nil
    }

    private static func isPackage(_ name: Substring) -> Bool {
        name.count >= 2 && name.count <= 80
            && name.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte) || (0x41...0x5a).contains(byte)
                    || "+-._:~".utf8.contains(byte)
            } && name.contains { $0.isLetter } && name.last != "." && name.last != ":"
    }

    private static func withoutArchitecture(_ name: Substring) -> Substring {
        for ending in [":amd64", ":all", ".x86_64", ".noarch"] where name.hasSuffix(ending) {
            return name.dropLast(ending.count)
        }
        return name
    }

    private static func range(of words: String, in line: String) -> Range<String.Index>? {
        let (text, wanted) = (line.utf8, words.utf8)
        var at = text.startIndex
        while let start = text[at...].firstIndex(of: wanted[wanted.startIndex]) {
            if text[start...].starts(with: wanted) { return start..<text.index(start, offsetBy: wanted.count) }
            at = text.index(after: start)
        }
        return nil
    }

    /// The first that fits counts. Texts of the Debian installer (its screens and its log), Anaconda, YaST and Subiquity.
    private static let signs: [Sign] = [
        // The Debian installer's log names the item of its menu.
        Sign(words: "Menu item 'cdrom-detect' selected", stage: "looking for the installation medium"),
        Sign(words: "Menu item 'netcfg' selected", stage: "configuring the network"),
        Sign(words: "Menu item 'choose-mirror' selected", stage: "choosing the mirror"),
        Sign(words: "Menu item 'download-installer' selected", stage: "loading installer components"),
        Sign(words: "Menu item 'load-cdrom' selected", stage: "loading installer components"),
        Sign(words: "Menu item 'partman-base' selected", stage: "partitioning the disk"),
        Sign(words: "Menu item 'bootstrap-base' selected", stage: "installing the base system"),
        Sign(words: "Menu item 'apt-setup-udeb' selected", stage: "configuring apt"),
        Sign(words: "Menu item 'pkgsel' selected", stage: "installing packages"),
        Sign(words: "Menu item 'grub-installer' selected", stage: "installing the boot loader"),
        Sign(words: "Menu item 'finish-install' selected", stage: "finishing the installation"),
        Sign(words: "in-target: Unpacking ", stage: "unpacking", namesPackage: true),
        Sign(words: "in-target: Setting up ", stage: "setting up", namesPackage: true),
        Sign(words: "in-target: Get:", stage: "downloading packages"),
        Sign(words: "update-initramfs: Generating", stage: "generating the initramfs"),
        // Its screens.
        Sign(words: "Loading additional components", stage: "loading installer components"),
        Sign(words: "Detecting network hardware", stage: "configuring the network"),
        Sign(words: "Configuring the network with DHCP", stage: "configuring the network"),
        Sign(words: "Partitions formatting", stage: "formatting the disk"),
        Sign(words: "Starting up the partitioner", stage: "partitioning the disk"),
        Sign(words: "Installing the base system", stage: "installing the base system"),
        Sign(words: "Select and install software", stage: "installing packages"),
        Sign(words: "Installing GRUB boot loader", stage: "installing the boot loader"),
        Sign(words: "Finishing the installation", stage: "finishing the installation"),
        Sign(words: "Retrieving ", stage: "downloading", namesPackage: true),
        Sign(words: "Validating ", stage: "downloading", namesPackage: true),
        Sign(words: "Unpacking ", stage: "unpacking", namesPackage: true),
        Sign(words: "Setting up ", stage: "setting up", namesPackage: true),
        // Anaconda.
        Sign(words: "Starting installer, one moment", stage: "starting the installer"),
        Sign(words: "Starting automated install", stage: "starting the installation"),
        Sign(words: "Checking software dependencies", stage: "resolving packages"),
        Sign(words: "Checking storage configuration", stage: "partitioning the disk"),
        Sign(words: "Creating disklabel", stage: "partitioning the disk"),
        Sign(words: "Downloading packages", stage: "downloading packages"),
        Sign(words: "Preparing transaction from installation source", stage: "installing packages"),
        Sign(words: "Installing boot loader", stage: "installing the boot loader"),
        Sign(words: "Performing post-installation setup", stage: "finishing the installation"),
        Sign(words: "Generating initramfs", stage: "generating the initramfs"),
        Sign(words: "Running post-installation scripts", stage: "running the answer file's scripts"),
        Sign(words: "Installing software", stage: "installing packages"),
        // YaST.
        Sign(words: "Starting YaST", stage: "starting the installer"),
        Sign(words: "Formatting partition", stage: "formatting the disk"),
        Sign(words: "Installing Packages", stage: "installing packages"),
        Sign(words: "Save boot loader configuration", stage: "installing the boot loader"),
        Sign(words: "Save configuration", stage: "configuring the system"),
        Sign(words: "Finishing Basic Installation", stage: "finishing the installation"),
        // Subiquity and curtin.
        Sign(words: "subiquity/Install/install/curtin_install", stage: "installing the base system"),
        Sign(words: "executing curtin install partitioning step", stage: "partitioning the disk"),
        Sign(words: "executing curtin install extract step", stage: "installing the base system"),
        Sign(words: "executing curtin install curthooks step", stage: "configuring the system"),
        Sign(words: "curtin command curthooks", stage: "configuring the system"),
        Sign(words: "installing missing packages", stage: "installing packages"),
        Sign(words: "installing kernel", stage: "installing the kernel"),
        Sign(words: "installing grub to target", stage: "installing the boot loader"),
        Sign(words: "subiquity/Late/run", stage: "running the answer file's commands"),
        Sign(words: "final system configuration", stage: "finishing the installation"),
        Sign(words: "Installing : ", stage: "installing", namesPackage: true),
        Sign(words: "Installing ", stage: "installing", namesPackage: true),
    ]
}
