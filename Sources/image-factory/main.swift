import CLinux
import Commands
import Glibc

// The helper mode of containments comes before anything that could start a thread: a process with more than one
// cannot enter a user namespace.
let count = Int32(CommandLine.arguments.count)
if count > 1, CommandLine.arguments[1] == "__contain" {
    exit(if_contain_main(count - 2, CommandLine.unsafeArgv + 2))
}
ImageFactoryMain.main()
