import Steps
import Testing

extension EndToEndTests {
    struct InstanceTests {
        /// A user, and marks of what cloud-init made of the instance.
        private static let seed = """
            #cloud-config
            users:
              - name: tester
                groups: [adm]
                shell: /bin/bash
            runcmd:
              - |
                \(Console.mark)
                mark hostname "$(hostname)"
                mark groups "$(id -nG tester)"
                mark root-kib "$(df -k --output=size / | tail -n 1 | tr -d ' ')"
                mark key "$(ssh-keygen -l -f /etc/ssh/ssh_host_ed25519_key.pub)"
                mark failed-units "$(systemctl list-units --failed --plain --no-legend | cut -d ' ' -f 1 | xargs)"
                mark ssh "$(systemctl is-active ssh.service)"
                mark end yes

            """

        @Test(arguments: ["debian-12", "debian-13"])
        func `An instance takes its seed, grows to its disk and makes its own host keys`(name: String) async throws {
            try await TemporaryFolder.with { folder in
                let image = try await ProgramUnderTest.build(name, into: folder)
                let instance = try await Instance(
                    of: image.qcow2, seed: Self.seed, size: "8G", in: folder.makeFolder("instance"))
                let console = try await instance.boot(
                    .uefi, until: .says(["E2E end=yes", "instance login:"]), within: .seconds(900))
                #expect(console["hostname"] == "instance")
                #expect(console["groups"]?.split(separator: " ").contains("adm") == true)
                #expect(console["root-kib"].flatMap { Int($0) } ?? 0 > 7 << 20)
                #expect(console["key"]?.contains("(ED25519)") == true)
                #expect(console["failed-units"] == "")
                #expect(console["ssh"] == "active")
            }
        }
    }
}
