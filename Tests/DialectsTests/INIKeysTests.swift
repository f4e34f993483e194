import Dialects
import Model
import Testing

/// Each key of an image's section and of a destination's: what it becomes, what it is without, what is wrong with it.
@Suite struct INIKeysTests {
    @Test func `What a section leaves out has the defaults`() throws {
        let image = try INI.parse(INI.web())
        let install = try #require(try INI.netinstall(INI.web()))
        #expect(image.definition.name == "web" && image.definition.version == "2026-11-21")
        #expect(image.definition.disk.size == .fixed(.gibi(2)) && image.definition.disk.firmware == .bios)
        #expect(image.definition.outputs == [Output(.raw)])
        #expect(image.definition.uploads.isEmpty && !image.definition.bootCheck.enabled)
        #expect(image.definition.verify == VerifySettings(isAdvisory: true))
        #expect(image.cacheFolder == nil && image.warnings.isEmpty)
        #expect(install.medium == .kernel(Source(.file, "/l"), initrd: Source(.file, "/i")))
        #expect(install.answers.map(\.path) == ["/d/a.cfg"])
        #expect(install.memory == .gibi(1) && install.processors == 1)
        #expect(install.mac == nil && install.vnc == nil && install.logFile == nil && install.postBuildCommand == nil)
        #expect(install.hypervisor == .qemu && install.network == .proxy && install.partitions == .linux)
        #expect(!install.showsInstallerLogs && !install.keepsRaw && install.append.isEmpty)
    }

    @Test func `An installer image makes kernel and initrd unnecessary, and broken ones harmless`() throws {
        let text = "[web]\nram=1G\nlinux=${nope}\ninstaller_image=https://x/i.iso\nautoinstall=a.cfg\n"
        let install = try #require(try INI.netinstall(text))
        #expect(install.medium == .image(Source(.https, "https://x/i.iso")))
        #expect(install.answers.map(\.kind) == [.autoinstall])
    }

    @Test(arguments: [
        ("/i", Source.Scheme.file, "/i"), ("file:///a%20b", .file, "/a b"), ("file:/a", .file, "/a"),
        ("file://localhost/a", .file, "/a"), ("http://x/a", .http, "http://x/a"),
        ("HTTPS://x/a", .https, "HTTPS://x/a"), ("rsync://x/m/a", .rsync, "rsync://x/m/a"),
    ])
    func `A source is a path or a URI`(text: String, scheme: Source.Scheme, location: String) throws {
        let install = try #require(
            try INI.netinstall(INI.web().replacing("linux=/l", with: "linux=\(text)")))
        #expect(install.medium == .kernel(Source(scheme, location), initrd: Source(.file, "/i")))
    }

    @Test(arguments: [
        "ftp://x/a", "a/b", "file:a", "file://host/a", "http:a", "http://", "https:///a", "x", "file:///%zz",
        "http://x/a b",
    ])
    func `A source that is neither is refused`(text: String) {
        #expect(
            INI.problems(INI.web().replacing("linux=/l", with: "linux=\(text)"))
                == "3:7: No download handler for file '\(text)' found. Give an absolute path or a file, http, https or "
                + "rsync URI.")
    }

    @Test func `A log file has the image's name and the date`() throws {
        #expect(try INI.netinstall(INI.web("log-file=yes\n"))?.logFile == "web-2026-11-21.log")
        #expect(try INI.netinstall(INI.web("log-file=on\nlog-filename=x.log\n"))?.logFile == "x.log")
        #expect(try INI.netinstall(INI.web("log-file=0\nlog-filename=${nope}\n"))?.logFile == nil)
    }

    @Test(arguments: [
        ("1", true), ("YES", true), ("true", true), ("On", true), ("0", false), ("no", false), ("False", false),
        ("OFF", false),
    ])
    func `A boolean has eight forms in any case`(text: String, isOn: Bool) throws {
        #expect(try INI.netinstall(INI.web("installer-logs=\(text)\n"))?.showsInstallerLogs == isOn)
    }

    @Test(arguments: [
        ("localhost:13", VNCDisplay(host: "localhost", number: 13), UInt16(5913)),
        (":5", VNCDisplay(number: 5), 5905), ("0.0.0.0:59635", VNCDisplay(host: "0.0.0.0", number: 59635), 65535),
    ])
    func `A VNC display is a host and a number`(text: String, display: VNCDisplay, port: UInt16) throws {
        let vnc = try INI.netinstall(INI.web("vnc=\(text)\n"))?.vnc
        #expect(vnc == display && vnc?.port == port)
    }

    @Test func `The home folder stands for a tilde in front of cache_dir`() throws {
        #expect(try INI.parse(INI.web("cache_dir=~/c\n")).cacheFolder == "/home/me/c")
        #expect(try INI.parse(INI.web("cache_dir=c\n")).cacheFolder == "/d/c")
    }

    @Test func `Several answer files are all given to the installer`() throws {
        let install = try INI.netinstall(INI.web("yast=/d/b.xml\nkickstart=a.cfg\n"))
        #expect(install?.answers.map(\.kind) == [.preseed, .kickstart, .autoyast])
    }

    @Test func `A qcow2 file is not compressed, as the older program left it`() throws {
        let image = try INI.parse(INI.web("format=qcow2\nkeep-raw=True\n"))
        #expect(image.definition.outputs == [Output(.qcow2, compression: .uncompressed)])
        #expect(try INI.netinstall(INI.web("format=qcow2\nkeep-raw=True\n"))?.keepsRaw == true)
        #expect(try INI.netinstall(INI.web("keep-raw=True\n"))?.keepsRaw == false)
    }

    @Test func `Sizes that are rounded are told`() throws {
        #expect(
            try INI.warnings("[web]\nram=1500000kB\nlinux=/l\ninitrd=/i\npreseed=a.cfg\nimage-size=2 GB\n") == [
                "2:5: warning: the memory is rounded down from 1500000000 bytes to 1430 MiB"
            ])
        #expect(
            try INI.warnings(INI.web("image-size=3000001\n")) == [
                "6:12: warning: the disk size is rounded up from 3000001 to 3000320 bytes, whole sectors of 512"
            ])
    }

    @Test func `Destinations come in their order, with their commands up to the first gap`() throws {
        let text = INI.web(
            """
            upload_destinations = b , ,a,
            [a]
            upload_type=RSYNC
            upload_target=u@a:/srv
            [b]
            upload_type=rsync
            upload_target=u@b:/srv
            upload_args=--progress  -e  ssh
            post-upload-command2=two
            post-upload-command=ssh b ls "/srv/${image}"
            post-upload-command1=one
            post-upload-command4=never

            """)
        #expect(
            try INI.parse(text).definition.uploads == [
                UploadDestination(
                    name: "b", target: "u@b:/srv", arguments: ["--progress", "-e", "ssh"],
                    commands: [["ssh", "b", "ls", "\"/srv/web-2026-11-21.raw\""], ["one"], ["two"]]),
                UploadDestination(name: "a", target: "u@a:/srv"),
            ])
        #expect(
            try INI.warnings(text)
                == ["17:1: warning: 'post-upload-command4' is never run, since there is no 'post-upload-command3'"])
    }
}

@Suite struct INIProblemsTests {
    @Test(arguments: wrong + destinations)
    func `A mistake is told where it is, with what to do`(wrong: Wrong) {
        #expect(INI.problems(wrong.text) == wrong.problems)
    }

    @Test func `All problems are told at once, in the order of the file`() {
        let text = "[web]\nram=1X\nvnc=5\nlog-file=maybe\nupload_destinations=x\ninitrd=${nope}\n"
        let lines = INI.problems(text).split(separator: "\n").map { $0.prefix { $0 != " " } }
        #expect(lines == ["1:1:", "1:1:", "2:5:", "3:5:", "4:10:", "5:21:", "6:8:"])
    }

    static let wrong = [
        Wrong(
            "no initrd", whole: "[web]\nram=1G\nlinux=/l\npreseed=a.cfg\n",
            "1:1: No option 'initrd' or 'installer_image' defined in section 'web' in image-factory.conf."),
        Wrong(
            "no kernel", whole: "[web]\nram=1G\ninitrd=/i\npreseed=a.cfg\n",
            "1:1: No option 'linux' or 'installer_image' defined in section 'web' in image-factory.conf."),
        Wrong(
            "no memory", whole: INI.web().replacing("ram=1G\n", with: ""),
            "1:1: No option 'ram' defined in section 'web' in image-factory.conf. Give the memory of the installing "
                + "machine, such as ram = 1G."),
        Wrong(
            "no answer file", whole: INI.web().replacing("preseed=a.cfg\n", with: ""),
            "1:1: No option 'preseed', 'kickstart', 'yast' or 'autoinstall' defined in section 'web' in "
                + "image-factory.conf."),
        Wrong(
            "an answer file that is not there", whole: INI.web().replacing("a.cfg", with: "c.cfg"),
            "5:9: cannot read the answer file '/d/c.cfg' of 'preseed': No such file or directory"),
        Wrong(
            "memory without unit", whole: INI.web().replacing("1G", with: "512"),
            "2:5: '512' is less than 1 MiB of memory; did you mean '512M'?"),
        Wrong(
            "memory of an unknown unit", whole: INI.web().replacing("1G", with: "1KB"),
            "2:5: Failed to parse bytes from '1KB'. Please use SI or binary prefixes for bytes (e.g. '2 GB' or '512 MiB')."
        ),
        Wrong(
            "a format that is none", whole: INI.web("format=qcow\n"),
            "6:8: 'qcow' is no value of 'format'; choose from qcow2, raw; did you mean 'qcow2'?"),
        Wrong(
            "a disk of nothing", whole: INI.web("image-size=0\n"),
            "6:12: the disk size '0' is not between 1M and 64T"),
        Wrong(
            "a boolean that is none", whole: INI.web("log-file=maybe\n"),
            "6:10: Not a boolean: maybe; 'log-file' takes True or False"),
        Wrong(
            "an empty boolean", whole: INI.web("installer-logs=\n"),
            "6:16: Not a boolean: ; 'installer-logs' takes True or False"),
        Wrong(
            "a display without host", whole: INI.web("vnc=5\n"),
            "6:5: '5' is no VNC display; give HOST:DISPLAY, such as localhost:13, with a display from 0 to 59635"),
        Wrong(
            "a MAC address that is none", whole: INI.web("mac=52:54:00\n"),
            "6:5: '52:54:00' is no MAC address; give six bytes, such as 52:54:00:12:34:56"),
        Wrong(
            "a MAC address of a group", whole: INI.web("mac=53:54:00:00:00:01\n"),
            "6:5: no machine can have the MAC address '53:54:00:00:00:01'; the first byte must be even, and not all may "
                + "be 0"),
        Wrong(
            "no processors", whole: INI.web("cores=0\n"), "6:7: '0' is no number of processors; give 1 to 512"),
        Wrong(
            "a hypervisor that is none", whole: INI.web("hypervisor=xen\n"),
            "6:12: 'xen' is no value of 'hypervisor'; choose from qemu, libvirt"),
        Wrong(
            "a network that is none", whole: INI.web("network=opn\n"),
            "6:9: 'opn' is no value of 'network'; choose from proxy, open; did you mean 'open'?"),
        Wrong(
            "a partition rule that is none", whole: INI.web("partitions=two\n"),
            "6:12: 'two' is no value of 'partitions'; choose from linux, strict"),
        Wrong(
            "a digest that is none", whole: INI.web("linux-sha256=12\n"),
            "6:14: '12' is no SHA-256 digest: 64 hexadecimal digits"),
        Wrong(
            "a value of two lines", whole: INI.web("mac=52:54:00\n  00:00:01\n"), "6:5: 'mac' takes one line"),
        Wrong(
            "nothing where something is needed",
            whole: INI.web("none=\n").replacing("ram=1G", with: "ram=${none}").replacing("/l", with: "${none}")
                .replacing("/i", with: "${none}").replacing("a.cfg", with: "${none}"),
            """
            1:1: No option 'initrd' or 'installer_image' defined in section 'web' in image-factory.conf.
            1:1: No option 'linux' or 'installer_image' defined in section 'web' in image-factory.conf.
            1:1: No option 'preseed', 'kickstart', 'yast' or 'autoinstall' defined in section 'web' in image-factory.conf.
            2:5: No option 'ram' defined in section 'web' in image-factory.conf. Give the memory of the installing \
            machine, such as ram = 1G.
            """),
        Wrong(
            "a control character", whole: INI.web("append=a\u{1b}[2J\n"),
            "6:8: the value of 'append' has the control character U+1B"),
    ]

    static let destinations = [
        Wrong(
            "a destination without section", whole: INI.web("upload_destinations=hist\n[host]\nupload_type=rsync\n"),
            "6:21: No 'upload_type' defined in the upload destination section 'hist'. Did you mean the section 'host'?"
        ),
        Wrong(
            "a destination without type", whole: INI.web("upload_destinations=host\n[host]\nupload_target=/srv\n"),
            "7:1: No 'upload_type' defined in the upload destination section 'host'."),
        Wrong(
            "a destination without target", whole: INI.web("upload_destinations=host\n[host]\nupload_type=rsync\n"),
            "7:1: No 'upload_target' defined in the upload destination section 'host'."),
        Wrong(
            "a destination of an unknown type",
            whole: INI.web("upload_destinations=host\n[host]\nupload_type=ftp\nupload_target=/srv\n"),
            "8:13: Unknown upload type 'ftp' specified. Supported types: rsync"),
        Wrong(
            "a command that refers to nothing",
            whole: INI.web(
                "upload_destinations=host\n[host]\nupload_type=rsync\nupload_target=/srv\npost-upload-command=a ${imag}\n"
            ),
            "10:23: Bad value substitution: option 'post-upload-command' in section 'host' contains an interpolation key "
                + "'imag' which is not a valid option name. Raw value: 'a ${imag}'; did you mean 'image'?"),
    ]
}
