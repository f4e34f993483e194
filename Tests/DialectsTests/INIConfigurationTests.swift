import Dialects
import Model
import Testing

@Suite struct INIConfigurationTests {
    private func appended(
        _ files: [String: String], overrides: [INIRequest.Override] = [], only: String? = nil
    ) throws -> String? {
        let image = try INI.parse(files.mapValues { Array($0.utf8) }, overrides: overrides, only: only)
        guard case .netinstall(let install) = image.definition.base else { return nil }
        return install.append
    }

    @Test func `The user's file wins over the system's, key by key`() throws {
        let files = [
            INI.system: INI.web("append=system ${more}\nmore=one\n"), INI.user: "[web]\nmore=two\n",
        ]
        #expect(try appended(files) == "system two")
    }

    @Test func `IMAGE_FACTORY_CONFIG is the only file`() throws {
        let files = [INI.system: INI.web("append=system\n"), "/d/own.conf": INI.web("append=own\n")]
        #expect(try appended(files, only: "/d/own.conf") == "own")
    }

    @Test func `A file that IMAGE_FACTORY_CONFIG names has to be there`() throws {
        let error = #expect(throws: FactoryError.self) { try appended([:], only: "/d/own.conf") }
        #expect(error?.message == "'/d/own.conf' (set in IMAGE_FACTORY_CONFIG) is not a valid file.")
        #expect(error?.code == .failed)
    }

    @Test func `The section wins over DEFAULT`() throws {
        #expect(try appended([INI.system: INI.web("append=own\n[DEFAULT]\nappend=inherited\n")]) == "own")
        #expect(try appended([INI.system: INI.web("[DEFAULT]\nappend=inherited\n")]) == "inherited")
    }

    @Test func `The command line wins over all, and takes part in interpolation`() throws {
        let files = [INI.system: INI.web("mac=52:54:00:00:00:01\nappend=mac=${mac} ${image-size}\nimage-size=1G\n")]
        let overrides: [INIRequest.Override] = [
            .init(key: "mac", value: "52:54:00:00:00:02", option: "--mac"),
            .init(key: "image-size", value: "${ram}", option: "--image-size"),
        ]
        #expect(try appended(files, overrides: overrides) == "mac=52:54:00:00:00:02 1G")
    }

    @Test func `A bare dollar sign on the command line is refused at its place`() {
        let problems = INI.problems(INI.web(), overrides: [.init(key: "mac", value: "a$$b$c", option: "--mac")])
        #expect(
            problems
                == "--mac:1:5: invalid interpolation syntax in 'a$$b$c' at position 4; write '$$' for a dollar sign")
    }

    @Test func `An image that has no section is told with the nearest one`() {
        #expect(
            INI.problems(INI.web(), image: "wep")
                == "No section 'wep' defined in image-factory.conf.; did you mean 'web'?")
    }

    @Test func `An image without a section of its own may have all it needs from DEFAULT`() throws {
        let text = INI.web().replacing("[web]", with: "[DEFAULT]")
        #expect(try INI.parse(text, image: "new").definition.name == "new")
        #expect(try INI.parse(text, image: "DEFAULT").definition.name == "DEFAULT")
    }

    @Test func `Mistakes of all files are told at once, in the order of the files`() {
        let files = [INI.system: "x\n", INI.user: "[A]\n[A]\n"]
        let error = #expect(throws: InvalidInput.self) { try appended(files) }
        #expect(error?.diagnostics.map { "\($0.file):\($0.line)" } == ["\(INI.system):1", "\(INI.user):2"])
        #expect(error?.code == .failed)
    }

    @Test func `A key that nothing reads is warned about where it is nearly a known one`() throws {
        #expect(
            try INI.warnings(INI.web("image_size=1G\ndist=trixie\nrams=2G\nappend=${rams}\n"))
                == ["6:1: warning: nothing reads the key 'image_size'; did you mean 'image-size'?"])
    }
}
