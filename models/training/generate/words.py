"""Word lists for the slots. Public figures are people (their names are names); fictional characters, authors of the past and brands are not."""

MAIL_DOMAINS = "example.com example.org corp.example mail.example qq.example 163.example gmail.example".split()
HOSTS = "wiki.example.com git.example.org intranet.example docs.example".split()
PROJECT_CODES = "Zephyr Kestrel Orion Basalt Juniper Falcon Meridian Halcyon Tundra Sparrow Cobalt Atlas Nimbus Willow Granite Aurora Pangolin Saffron Lighthouse Redwood Obsidian".split()
SECRET_WORDS = "summer winter dragon welcome coffee banana office monkey tiger secret shadow admin root london sunshine falcon maple river piano hunter letmein qwerty orange xiaoming woaini beijing".split()
LIBRARIES = "numpy pandas react redux tokio serde axios spring-boot django flask lodash webpack vite pytest jest kubernetes terraform ansible nginx redis kafka postgres sqlite tensorflow pytorch langchain".split()

ORG_EN = "Northwind Helio Bluefin Redstone Silverline Acorn Brightwater Crescent Summit Keystone Ironbridge Lakeside Pinnacle Vantage Harbourline Evergreen Sterling Cascade Meadowbrook Quantix Verdant Halden Orchard Tidewater Fairmont Copperfield Larkspur".split()
ORG_KIND_EN = "Ltd|Inc.|LLC|GmbH|Group|Holdings|Partners|Logistics|Foods|Bank|Insurance|Systems|Labs|Pharma|Energy|Capital|Consulting|Solutions|Pte Ltd|plc|Industries|Hospital|University|Clinic".split("|")
COMPANIES_EN = "Apple|Microsoft|Google|Amazon|Tesla|Netflix|Intel|Nvidia|Samsung|Toyota|Siemens|Unilever|Nestlé|IBM|Oracle|Boeing|Airbus|Walmart|Spotify|Shell".split("|")
PUBLIC_EN = """
Joe Biden|Donald Trump|Barack Obama|Angela Merkel|Emmanuel Macron|Rishi Sunak|Keir Starmer|Taylor Swift|Elon Musk|Bill Gates|Tim Cook|Satya Nadella|Jensen Huang|Sam Altman|Mark Zuckerberg|Jeff Bezos|Warren Buffett|Serena Williams|Roger Federer|
Lionel Messi|Cristiano Ronaldo|LeBron James|Yao Ming|Xi Jinping|Jack Ma|Greta Thunberg|Beyoncé|Ed Sheeran|Emma Watson|Tom Hanks|Meryl Streep|Leonardo DiCaprio|Christopher Nolan|Narendra Modi|Justin Trudeau|Volodymyr Zelensky|Ursula von der Leyen|
Christine Lagarde|Jerome Powell|Linus Torvalds|Guido van Rossum|Geoffrey Hinton|Yann LeCun|Malala Yousafzai|Usain Bolt|Simone Biles|Novak Djokovic|Lewis Hamilton|Kylian Mbappé|Adele|Rihanna|Oprah Winfrey|Kamala Harris|Hillary Clinton
""".replace("\n", "").split("|")
FICTION_EN = """
Harry Potter|Hermione|Frodo Baggins|Gandalf|Sherlock Holmes|Dr. Watson|Elizabeth Bennet|Mr. Darcy|Luke Skywalker|Darth Vader|Tony Stark|Spider-Man|Batman|Bruce Wayne|Homer Simpson|Walter White|Jon Snow|Daenerys|Katniss Everdeen|Atticus Finch|
Jay Gatsby|Holden Caulfield|Captain Ahab|Oliver Twist|Ebenezer Scrooge|Jane Eyre|Heathcliff|Hamlet|Romeo|Juliet|King Lear|Macbeth|Ophelia|James Bond|Indiana Jones|Mario|Princess Zelda|Lara Croft|Alice in Wonderland|Peter Pan|Captain Hook|Winnie the Pooh|Dorothy|Sauron
""".replace("\n", "").split("|")
HISTORIC_EN = """
Shakespeare|Jane Austen|Charles Dickens|Mark Twain|Leo Tolstoy|Homer|Plato|Aristotle|Newton|Einstein|Galileo|Darwin|Mozart|Beethoven|Bach|Chopin|Picasso|Van Gogh|Leonardo da Vinci|Napoleon|Julius Caesar|Cleopatra|Abraham Lincoln|
George Washington|Isaac Newton|Marie Curie|Emily Dickinson|Walt Whitman|Edgar Allan Poe|Virginia Woolf|Ernest Hemingway|Franz Kafka|Goethe|Dante|Confucius|Laozi|Sun Tzu|Karl Marx|Adam Smith|Immanuel Kant|Nietzsche|Freud|Gauss|Euler|Turing
""".replace("\n", "").split("|")
BOOKS_EN = "Pride and Prejudice|Moby-Dick|The Great Gatsby|War and Peace|1984|Dune|The Odyssey|Crime and Punishment|Frankenstein|Dracula|Sapiens|The Pragmatic Programmer|Clean Code|Walden|Ulysses|Middlemarch|The Art of War".split("|")
BRANDS_EN = """
Mercedes|Dior|Chanel|Louis Vuitton|Calvin Klein|Tommy Hilfiger|Ralph Lauren|Hugo Boss|Armani|Ford|Ferrari|Porsche|Tesla|Wendy's|McDonald's|Jack Daniel's|Johnnie Walker|Dr Pepper|Ben & Jerry's|Trader Joe's|Levi's|Macy's|Kellogg's|Cadbury|
Dyson|Philips|Siemens|Bosch|Black & Decker|Procter & Gamble|Johnson & Johnson|Morgan Stanley|JP Morgan|Goldman Sachs|Wells Fargo|Charles Schwab|Alexa|Siri|Cortana|Claude|Kate Spade|Michael Kors|Victoria's Secret|Estée Lauder|Mary Kay|Kit Kat|Papa John's
""".replace("\n", "").split("|")
CITIES_EN = "London|Paris|New York|Tokyo|Kyoto|Berlin|Rome|Lisbon|Barcelona|Sydney|Singapore|Hong Kong|Shanghai|Beijing|Chengdu|San Francisco|Chicago|Boston|Seattle|Toronto|Dubai|Istanbul|Bangkok|Hanoi|Seoul|Mumbai|Delhi|Florence|Charlotte|Austin|Santa Barbara|San Diego|St. Petersburg|Victoria|Georgia|Leeds|Manchester|Edinburgh".split("|")
COUNTRIES_EN = "Germany|France|Italy|Japan|China|India|Brazil|Canada|Mexico|Spain|Vietnam|Thailand|Norway|Sweden|Poland|Turkey|Egypt|Kenya|Australia|Ireland".split("|")
FOOD_EN = "lemon tart|chicken curry|banana bread|tomato soup|lasagne|pad thai|beef stew|pancakes|risotto|apple pie|ramen|guacamole|brownies|fried rice|paella|dumplings".split("|")
PRODUCTS_EN = "vacuum cleaner|headphones|running shoes|coffee machine|laptop stand|backpack|air fryer|desk lamp|tent|phone case|electric toothbrush|monitor|keyboard|blender|mattress".split("|")
DEPARTMENTS_EN = "sales|operations|finance|engineering|marketing|the data platform team|customer support|procurement|logistics|legal|R&D|the Leeds plant|the Asia region|manufacturing|IT".split("|")
TOPICS_EN = "photosynthesis|supply and demand|machine learning|climate change|the French Revolution|time management|binary search|blockchain|renewable energy|the water cycle|public speaking|healthy eating|database indexing|remote work|game theory|quantum computing|inflation|plate tectonics".split("|")
CONDITIONS_EN = """
type 2 diabetes|stage 2 breast cancer|bipolar disorder|HIV|major depression|epilepsy|Crohn's disease|multiple sclerosis|a heart attack|schizophrenia|ADHD|chronic kidney disease|hepatitis B|a miscarriage|lupus|asthma|early-onset Parkinson's|
a herniated disc|anxiety and panic attacks|postpartum depression|leukaemia|rheumatoid arthritis|an eating disorder|sleep apnoea|a stroke|PTSD|tuberculosis|prostate cancer|endometriosis|alcohol dependence
""".replace("\n", "").split("|")
CONDITIONS_ZH = """
二型糖尿病|高血压|乳腺癌二期|抑郁症|双相情感障碍|癫痫|甲状腺结节|慢性肾炎|乙肝大三阳|艾滋病|肺结核|冠心病|脑梗|白血病|系统性红斑狼疮|焦虑症|强直性脊柱炎|腰椎间盘突出|胃溃疡|子宫肌瘤|哮喘|痛风|精神分裂症|帕金森|
产后抑郁|早期肺癌|重度脂肪肝|房颤|类风湿关节炎|多囊卵巢综合征|自闭症|尿毒症|肝硬化|前列腺增生|先兆流产
""".replace("\n", "").split("|")
DRUGS_EN = "metformin|lithium|sertraline|insulin|warfarin|lisinopril|prednisone|atorvastatin|tamoxifen|amoxicillin|omeprazole|methotrexate|levothyroxine".split("|")
DRUGS_ZH = "二甲双胍|阿司匹林|头孢克肟|氨氯地平|左甲状腺素|胰岛素|舍曲林|碳酸锂|阿托伐他汀|奥美拉唑|甲泼尼龙|缬沙坦|氯吡格雷|布洛芬".split("|")

ORG_ZH = "华辰 蓝海 恒信 中瑞 天诚 启明 鼎盛 博远 银河 东海 新域 金泰 瑞丰 宏图 安捷 德邦 万象 云帆 科锐 海通 联创 信达 九州 同济 锦程 泰和 康源 優达 朗润 百川 盛世 晨光 凌云 卓越 中科".split()
ORG_TRADE_ZH = "科技 物流 保险 制药 电子 能源 食品 传媒 建设 贸易 软件 医疗 教育 置业 材料 汽车 证券 网络 实业 智能 化工 环保 生物 机械".split()
ORG_KIND_ZH = "有限公司 股份有限公司 集团 有限责任公司 公司 集团有限公司 分公司".split()
COMPANIES_ZH = "华为 腾讯 阿里巴巴 百度 京东 小米 字节跳动 美团 比亚迪 宁德时代 中国移动 工商银行 中石油 格力 海尔 联想 苹果 特斯拉 微软 谷歌 网易 拼多多 大疆 招商银行 中国平安 万科".split()
PUBLIC_ZH = """
习近平|李强|马云|马化腾|任正非|雷军|董明珠|刘强东|张一鸣|王健林|许家印|钟南山|袁隆平|屠呦呦|姚明|刘翔|李娜|郎平|谷爱凌|苏炳添|樊振东|马龙|孙颖莎|全红婵|周杰伦|刘德华|张学友|王菲|邓紫棋|林俊杰|成龙|李连杰|章子怡|巩俐|张艺谋|陈凯歌|
冯小刚|王家卫|吴京|沈腾|贾玲|黄渤|徐峥|莫言|余华|刘慈欣|易中天|罗翔|撒贝宁|董卿|拜登|特朗普|马斯克|普京|库克|比尔·盖茨|扎克伯格|梅西|C罗|詹姆斯|科比|默克尔|马克龙|黄仁勋|李彦宏|俞敏洪|罗永浩|李佳琦|薇娅|丁俊晖|武磊|王楚钦
""".replace("\n", "").split("|")
FICTION_ZH = """
孙悟空|猪八戒|唐僧|贾宝玉|林黛玉|薛宝钗|王熙凤|宋江|武松|林冲|鲁智深|诸葛亮|关羽|张飞|曹操|刘备|郭靖|黄蓉|杨过|小龙女|令狐冲|韦小宝|张无忌|乔峰|段誉|虚竹|哈利·波特|福尔摩斯|孔乙己|阿Q|祥林嫂|白娘子|许仙|梁山伯|祝英台|哪吒|花木兰|
嫦娥|后羿|葫芦娃|喜羊羊|甄嬛|范闲|叶文洁|罗辑|程心|三毛|柯南|路飞|鸣人|蜡笔小新
""".replace("\n", "").split("|")
HISTORIC_ZH = "李白 杜甫 苏轼 白居易 王维 李清照 辛弃疾 陶渊明 屈原 孔子 孟子 老子 庄子 司马迁 秦始皇 汉武帝 唐太宗 康熙 鲁迅 老舍 巴金 茅盾 沈从文 张爱玲 徐志摩 朱自清 曹雪芹 罗贯中 施耐庵 吴承恩 王羲之 齐白石 孙中山 牛顿 爱因斯坦 莎士比亚 达尔文 亚里士多德 李时珍 张仲景 祖冲之 岳飞 文天祥".split()
BOOKS_ZH = "红楼梦 三国演义 水浒传 西游记 平凡的世界 活着 三体 围城 骆驼祥子 边城 呐喊 论语 史记 百年孤独 小王子 追风筝的人 白鹿原 人类简史 射雕英雄传 资治通鉴".split()
BRANDS_ZH = "李宁 王老吉 张小泉 老干妈 乔丹体育 周大福 周黑鸭 张君雅 陈克明 李锦记 王守义十三香 马应龙 云南白药 同仁堂 张裕 李子柒 王致和 全聚德 谢馥春 戴森 迪奥 香奈儿 奔驰 特斯拉 蔚来 小鹏 林肯 安踏 海底捞 张亮麻辣烫 杨国福 阿玛尼 爱马仕 劳斯莱斯 雅诗兰黛 小米 老庙黄金 周生生 张飞牛肉 郭元益 金龙鱼 康师傅".split()
CITIES_ZH = "北京 上海 广州 深圳 杭州 成都 重庆 武汉 西安 南京 苏州 长沙 青岛 大连 厦门 昆明 丽江 大理 桂林 三亚 拉萨 哈尔滨 洛阳 扬州 敦煌 张家界 石家庄 秦皇岛 天津 香港 台北 东京 巴黎 伦敦 纽约 新加坡".split()
COUNTRIES_ZH = "日本 法国 德国 意大利 泰国 越南 新西兰 冰岛 土耳其 埃及 巴西 墨西哥 印度 韩国 英国 西班牙".split()
FOOD_ZH = "红烧肉 宫保鸡丁 番茄炒蛋 麻婆豆腐 酸菜鱼 糖醋排骨 蛋炒饭 可乐鸡翅 小笼包 饺子 葱油拌面 红豆沙 戚风蛋糕 凉拌黄瓜 鱼香肉丝 皮蛋瘦肉粥 螺蛳粉".split()
PRODUCTS_ZH = "扫地机器人 蓝牙耳机 电饭煲 跑步鞋 机械键盘 行李箱 保温杯 空气炸锅 显示器 电动牙刷 护眼台灯 充电宝 人体工学椅 面膜 婴儿车 投影仪".split()
PROJECTS_ZH = "晨曦 鲲鹏 北极星 启航 磐石 青鸟 天枢 凤凰 雪狼 灯塔 极光 瀚海 破晓 长风 星火".split()
DEPARTMENTS_ZH = "研发部 市场部 财务部 人力资源部 销售一部 华东区 运营中心 法务部 采购部 生产二车间 客服部 质量部 数据平台组 供应链部 行政部".split()
TOPICS_ZH = "光合作用 供需关系 机器学习 气候变化 法国大革命 时间管理 二分查找 区块链 可再生能源 水循环 演讲技巧 健康饮食 数据库索引 远程办公 博弈论 量子计算 通货膨胀 板块构造 丝绸之路 唐诗 宋词 新陈代谢".split()

RANKS_ZH = """
冠军 亚军 季军 选手 歌手 演员 导演 记者 队长 连长 班长 战士 教练 门将 前锋 作家 诗人 画家 学者 院士 村民 市民 居民 司机 乘客 业主 房东 租客 老板 店主 店员 厨师 医生 护士 患者 家属 病人 教师 老师 学生 班主任 家长 校长 律师 法官 原告 被告 证人 嫌疑人
民警 消防员 快递员 外卖员 网友 主播 博主 粉丝 同学 同事 邻居 朋友 队友 室友 男友 女友 丈夫 妻子 儿子 女儿 弟弟 妹妹 表哥 堂姐 舅舅 伯父 岳父 前妻 大学生 工程师 设计师 程序员 会计 经理 主任 局长 市长 县长 书记 委员 代表 会长 秘书 助理 客户 供应商 投资人 创始人 候选人 志愿者
""".split()
VERBS_ZH = """
说 写 等 替 接 去 回 来 做 给 拿 送 找 问 看 想 要 让 带 发 打 买 卖 请 陪 帮 管 教 学 住 跑 赢 输 走 到 在 把 被 对 从 向 与 和 也 都 就 才 又 还 已 将 曾 正 没 不 很 太 私下 表示 认为 指出 强调 介绍 回忆 告诉记者 负责 主持 参加 出席 缺席 离职 入职 退休 请假 出差 加班 值班
立功 获奖 夺冠 晋级 梅开二度 上场 受伤 住院 出院 病逝 去世 出生 毕业 结婚 离婚 搬家 报警 投诉 起诉 上诉 捐赠 投资 创办 收购 签字 拍板 点头 同意 反对 拒绝 承认 否认 道歉 致辞 发言 汇报 调研 接任 兼任 担任 当选 辞职 被捕 失踪 获救 现身 亮相 饰演 执导 翻唱 撰写 翻译 发现 提出 研究 写报告 开车 迟到 早退 旷工 涨薪 转正 下单 付款 退货 签收
""".split()
RESTS_ZH = ["", "了", "。", "了这件事。", "新的方案", "三次", "得很好", "，大家都知道", "的时候下雨了", "，后来不了了之。", "一下", "过", "去{city}", "{project}", "第二天才回来", "，{called}也一样", "完再说", "起来"]
FOREIGN_GIVEN_ZH = """
约翰 大卫 迈克尔 罗伯特 威廉 詹姆斯 查尔斯 乔治 托马斯 爱德华 亨利 理查德 彼得 保罗 马克 安德鲁 丹尼尔 史蒂文 凯文 布莱恩 埃里克 弗兰克 亚历山大 尼古拉 伊万 谢尔盖 弗拉基米尔 米哈伊尔 安东 费尔南多 卡洛斯 何塞 胡安 路易斯 佩德罗 马里奥 乔瓦尼 卢卡 皮埃尔 让 雅克 菲利普 汉斯 卡尔 弗里德里希 海因里希
玛丽 伊丽莎白 凯瑟琳 安娜 艾玛 索菲亚 伊莎贝拉 夏洛特 爱丽丝 简 萨拉 珍妮弗 杰西卡 艾米 克里斯蒂娜 娜塔莎 奥尔加 卡门 玛格丽特 海伦 黛安娜 莫妮卡 朱莉娅 穆罕默德 艾哈迈德 阿里 哈桑 法蒂玛 萨尔曼 拉吉夫 阿米尔
""".split()
FOREIGN_SURNAME_ZH = """
史密斯 约翰逊 威廉姆斯 布朗 琼斯 米勒 戴维斯 威尔逊 安德森 泰勒 托马斯 杰克逊 怀特 哈里斯 马丁 汤普森 罗宾逊 克拉克 刘易斯 沃克 霍尔 艾伦 金斯利 赖特 希尔 斯科特 格林 亚当斯 贝克 纳尔逊 卡特 米切尔 加西亚 罗德里格斯 马丁内斯 洛佩兹 冈萨雷斯 佩雷斯 桑切斯 费尔南德斯
伊万诺夫 彼得罗夫 索科洛夫 库兹涅佐夫 波波娃 斯米尔诺娃 穆勒 施密特 施耐德 菲舍尔 韦伯 瓦格纳 贝克尔 霍夫曼 杜邦 勒菲弗 莫罗 罗西 费拉里 比安奇 汉森 尼尔森 拉尔森 科瓦尔斯基 诺瓦克 奥康纳 麦克唐纳 坎贝尔 辛格 夏尔马 侯赛因 阿卜杜拉 拉赫曼 阮文雄
""".split()
JAPANESE_ZH = "田中健太 佐藤美咲 铃木一郎 高桥洋子 渡边淳 伊藤翔 山本由纪 中村俊辅 小林多喜 加藤鹰 吉田真子 松本清 井上雄太 木村拓 斋藤飞鸟 清水翔太 二宫和也 三浦友和 藤原浩 织田裕 岛崎遥 金秀贤 朴智妍 李敏镐 崔英浩 郑恩地 阮氏芳 陈文明雄".split()
