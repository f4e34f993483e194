package enum ImageFactoryMain { package static func main() {} }
