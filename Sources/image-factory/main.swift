import Commands

ImageFactoryMain.main()
