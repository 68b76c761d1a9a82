"""Invented people: names in the forms in which they are written, handles, birth dates and job titles."""

from __future__ import annotations

from functools import cache
from random import Random

from faker import Faker

from generate import words

# Chinese surnames with their romanisations (pinyin, then the spellings of Hong Kong, Taiwan and Singapore).
SURNAMES = """
王 Wang Wong Ong|李 Li Lee Lei|张 Zhang Cheung Teo Chang|刘 Liu Lau Low|陈 Chen Chan Tan|杨 Yang Yeung Yeo|黄 Huang Wong Ng Oei|赵 Zhao Chiu|吴 Wu Ng Goh|周 Zhou Chow Chew|
徐 Xu Chui Chee|孙 Sun Suen|马 Ma Mah|朱 Zhu Chu|胡 Hu Woo|郭 Guo Kwok Kuo Quek|何 He Ho|高 Gao Ko|林 Lin Lam Lim|罗 Luo Law Loh|郑 Zheng Cheng Tay|梁 Liang Leung Neo|谢 Xie Tse Hsieh|宋 Song Sung|唐 Tang Tong|
许 Xu Hui Koh|韩 Han Hon|冯 Feng Fung|邓 Deng Tang|曹 Cao Tso|彭 Peng Pang|曾 Zeng Tsang Chan|肖 Xiao Siu|田 Tian Tin|董 Dong Tung|袁 Yuan Yuen|潘 Pan Poon|于 Yu|蒋 Jiang Cheung|蔡 Cai Choi Chua Tsai|余 Yu Yee|杜 Du To|
叶 Ye Yip Yap|程 Cheng Ching|苏 Su So Soh|魏 Wei Ngai|吕 Lü Lui Loo|丁 Ding Ting|任 Ren Yam|沈 Shen Sum Sim|姚 Yao Yiu|卢 Lu Lo|姜 Jiang Keung|崔 Cui Chui|钟 Zhong Chung|谭 Tan Tam|陆 Lu Luk Loke|汪 Wang|范 Fan|金 Jin Kam|
石 Shi Shek|廖 Liao Liu|贾 Jia|夏 Xia Ha|韦 Wei Wai|付 Fu|方 Fang Fong Png|白 Bai Pak|邹 Zou|孟 Meng|熊 Xiong|秦 Qin|邱 Qiu Yau Khoo|江 Jiang Kong|尹 Yin|薛 Xue Sit|闫 Yan|段 Duan|雷 Lei Lui|侯 Hou|龙 Long|史 Shi|陶 Tao|
黎 Li Lai|贺 He|顾 Gu Koo|毛 Mao Mo|郝 Hao|龚 Gong|邵 Shao Siu|万 Wan|钱 Qian|严 Yan Yim|覃 Qin|武 Wu|戴 Dai Tai|莫 Mo Mok|孔 Kong Hung|向 Xiang|汤 Tang Tong|温 Wen Wan|康 Kang Hong|施 Shi See|文 Wen Man|牛 Niu|樊 Fan|葛 Ge Kot|
邢 Xing|安 An|齐 Qi|易 Yi|乔 Qiao|伍 Wu Ng|庞 Pang|颜 Yan Ngan|倪 Ni|庄 Zhuang Chong|聂 Nie|章 Zhang|鲁 Lu|岳 Yue|翟 Zhai|殷 Yin|詹 Zhan Chim|申 Shen|欧 Ou Au|耿 Geng|关 Guan Kwan|兰 Lan|焦 Jiao|俞 Yu|左 Zuo|柳 Liu|甘 Gan Kam|祝 Zhu|
包 Bao|宁 Ning|尚 Shang|符 Fu|舒 Shu|阮 Ruan Yuen|柯 Ke Or Quah|纪 Ji Kei|梅 Mei Mui|童 Tong|凌 Ling|毕 Bi|单 Shan|季 Ji|裴 Pei|霍 Huo Fok|涂 Tu|成 Cheng|苗 Miao|谷 Gu|盛 Sheng|曲 Qu|翁 Weng Yung|冉 Ran|骆 Luo|蓝 Lan|路 Lu|游 You|辛 Xin|靳 Jin|
欧阳 Ouyang Au-Yeung|上官 Shangguan|司马 Sima|诸葛 Zhuge|司徒 Situ Szeto|东方 Dongfang|令狐 Linghu|皇甫 Huangfu|尉迟 Yuchi|慕容 Murong|端木 Duanmu|夏侯 Xiahou
"""

# Characters of given names with their pinyin.
GIVEN = """
伟 wei|芳 fang|娜 na|敏 min|静 jing|丽 li|强 qiang|磊 lei|军 jun|洋 yang|勇 yong|艳 yan|杰 jie|娟 juan|涛 tao|明 ming|超 chao|秀 xiu|霞 xia|平 ping|刚 gang|桂 gui|英 ying|华 hua|玉 yu|兰 lan|红 hong|梅 mei|建 jian|国 guo|文 wen|志 zhi|海 hai|
晓 xiao|峰 feng|宇 yu|浩 hao|然 ran|子 zi|轩 xuan|欣 xin|怡 yi|雨 yu|涵 han|梓 zi|萱 xuan|思 si|佳 jia|琪 qi|嘉 jia|俊 jun|豪 hao|天 tian|昊 hao|博 bo|诗 shi|雅 ya|婷 ting|倩 qian|雪 xue|莹 ying|颖 ying|慧 hui|琳 lin|璐 lu|瑶 yao|莉 li|萍 ping|
春 chun|秋 qiu|冬 dong|夏 xia|凤 feng|龙 long|飞 fei|鹏 peng|翔 xiang|凯 kai|旭 xu|东 dong|阳 yang|辉 hui|光 guang|亮 liang|庆 qing|福 fu|贵 gui|荣 rong|昌 chang|德 de|义 yi|仁 ren|礼 li|智 zhi|信 xin|忠 zhong|孝 xiao|诚 cheng|毅 yi|恒 heng|
成 cheng|立 li|正 zheng|清 qing|云 yun|月 yue|星 xing|晨 chen|曦 xi|若 ruo|可 ke|心 xin|语 yu|嫣 yan|彤 tong|菲 fei|馨 xin|悦 yue|乐 le|安 an|宁 ning|康 kang|健 jian|永 yong|长 chang|树 shu|林 lin|森 sen|松 song|柏 bai|桐 tong|楠 nan|
淑 shu|珍 zhen|翠 cui|巧 qiao|素 su|美 mei|琴 qin|菊 ju|莲 lian|荷 he|蓉 rong|蕾 lei|薇 wei|芸 yun|芝 zhi|茜 qian|萌 meng|岚 lan|韵 yun|璇 xuan|珊 shan|琼 qiong|瑞 rui|祥 xiang|煜 yu|熙 xi|炜 wei|灿 can|焕 huan|坤 kun|培 pei|基 ji|城 cheng|
帆 fan|航 hang|舟 zhou|江 jiang|河 he|波 bo|泽 ze|润 run|涵 han|泉 quan|源 yuan|溪 xi|山 shan|岩 yan|石 shi|川 chuan|原 yuan|野 ye|启 qi|承 cheng|继 ji|世 shi|家 jia|兴 xing|旺 wang|元 yuan|亨 heng|利 li|贞 zhen|一 yi|之 zhi|以 yi|伊 yi|依 yi|
皓 hao|铭 ming|锐 rui|钧 jun|鑫 xin|铁 tie|铮 zheng|尧 yao|舜 shun|禹 yu|哲 zhe|睿 rui|聪 cong|颂 song|歌 ge|弦 xian|书 shu|墨 mo|砚 yan|丹 dan|青 qing|白 bai|紫 zi|冰 bing|露 lu|霜 shuang|虹 hong|霖 lin|震 zhen|雷 lei
"""

ENGLISH_GIVEN = """
Kevin Jason Eric Tony Vincent Jack Leo Frank Alex Henry Peter Raymond Ivy Lucy Cindy Amy Vivian Jenny Grace Tina Coco Echo Fiona Cherry Joyce Stella Winnie Bonnie Mandy Gigi Sammi Kelvin
Alan Derek Edmund Terence Benny Herman Priscilla Rainbow Yoyo Doris Janice Carmen Eunice Wendy Elaine Michelle Jasmine
""".split()

WORLD = """
Priya Nair|Arjun Mehta|Ananya Iyer|Rohit Deshpande|Fatima Al-Sayed|Omar Haddad|Layla Mansour|Yusuf Karimi|Amina Diallo|Kwame Boateng|Chinedu Okafor|Ngozi Adeyemi|Thabo Mokoena|Zanele Dlamini|Abebe Tadesse|
Hiroshi Tanaka|Yuki Matsumoto|Kenji Watanabe|Aiko Sakamoto|Min-jun Kim|Seo-yeon Park|Ji-woo Choi|Nguyen Van Minh|Tran Thi Lan|Pham Quoc Huy|Siti Nurhaliza Rahman|Budi Santoso|Dewi Lestari|Ahmad bin Ismail|Maria Clara Reyes|
Jose Luis Hernández|Lucía Fernández|Mateo Rodríguez|Camila Souza|Thiago Almeida|Giulia Ferrari|Lorenzo Bianchi|Søren Kristensen|Astrid Lindqvist|Mikko Virtanen|Katarzyna Nowak|Piotr Wiśniewski|Tomáš Dvořák|Ilona Kovács|
Dmitri Volkov|Olga Sokolova|Anastasia Petrenko|Elif Yılmaz|Mehmet Demir|Niamh O'Sullivan|Siobhán Murphy|Rhys Llewellyn|Eilidh MacLeod|Pierre Lefèvre|Chloé Moreau|Hans-Peter Krüger|Ulrike Weiß|Joost van der Meer|Femke de Vries|
Ariel Cohen|Noa Ben-David|Nasrin Hosseini|Rustam Aliyev|Tariq Mahmood|Ayesha Siddiqui|Imran Qureshi|Lakshmi Subramanian|Venkatesh Rao|Gurpreet Singh|Harjit Kaur|Dilani Perera|Nimal Fernando|Tenzin Dorje|Bat-Erdene Ganbold|
Malia Kealoha|Tane Ngata|D'Andre Washington|Shaniqua Jefferson|LaToya Briggs|Xiomara Castillo|Ignacio del Río|Zoë Vandenberg|Aoife Ní Dhomhnaill|Jean-Baptiste Ouédraogo
"""

HONORIFICS = ("Mr", "Mr.", "Mrs", "Mrs.", "Ms", "Ms.", "Dr", "Dr.", "Prof.", "Miss")
ZH_CALLED = "总 老师 经理 工 姐 哥 先生 女士 主任 医生 教授 局 律师 主管 师傅 处 院长 助理 同学 老板 博士 叔 阿姨 队 部长 小姐 太太 伯伯 会计 校长 大夫 总监 书记 科长 董".split()
ENGLISH_LOCALES = ("en_US", "en_GB", "en_AU", "en_IN", "en_CA", "en_IE", "en_NZ", "en_US", "en_GB")


@cache
def surnames() -> list[tuple[str, list[str]]]:
    rows = [row.split() for row in SURNAMES.replace("\n", "").split("|")]
    return [(row[0], row[1:]) for row in rows]


@cache
def surname_weights() -> list[float]:
    """Roughly Zipf, as Chinese surnames are, with double surnames lifted so that they are seen."""
    return [0.02 if len(name) == 2 else 1.0 / (rank + 4) for rank, (name, _) in enumerate(surnames())]


@cache
def given_characters() -> list[tuple[str, str]]:
    return [tuple(pair.split()) for pair in GIVEN.replace("\n", "").split("|")]


@cache
def english_names(count: int = 6_000) -> list[str]:
    names = []
    for seed, locale in enumerate(ENGLISH_LOCALES):
        faker = Faker(locale)
        faker.seed_instance(seed)
        for _ in range(count // len(ENGLISH_LOCALES)):
            first, last = faker.first_name(), faker.last_name()
            names.append(f"{first} {last}")
    return names + [name.strip() for name in WORLD.replace("\n", "").split("|")] * 6


@cache
def traditional_names(count: int = 800) -> list[str]:
    faker = Faker("zh_TW")
    faker.seed_instance(7)
    return [faker.last_name() + faker.first_name() for _ in range(count)]


class People:
    """Draws names and what hangs on them; one instance per text, so that a text stays consistent."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def chinese_parts(self) -> tuple[str, list[str], str, str]:
        """Surname, its romanisations, given name, its pinyin."""
        surname, spellings = self.random.choices(surnames(), surname_weights())[0]
        count = 1 if self.random.random() < (0.3 if len(surname) == 1 else 0.6) else 2
        characters = [self.random.choice(given_characters()) for _ in range(count)]
        if count == 2 and self.random.random() < 0.06:
            characters[1] = characters[0]
        return surname, spellings, "".join(c for c, _ in characters), "".join(p for _, p in characters)

    def chinese(self) -> str:
        """A full name in characters."""
        if self.random.random() < 0.06:
            return self.random.choice(traditional_names())
        surname, _, given, _ = self.chinese_parts()
        return surname + given

    def chinese_called(self) -> str:
        """How colleagues say it: 小王, 张总, 李老师, 晓峰, 阿强, 婷婷."""
        surname, _, given, _ = self.chinese_parts()
        kind = self.random.random()
        if kind < 0.25:
            return self.random.choice("小老小") + surname[0]
        if kind < 0.75:
            return surname + self.random.choice(ZH_CALLED)
        if kind < 0.85 and len(given) == 2:
            return given
        if kind < 0.92:
            return "阿" + given[-1]
        return given[-1] * 2

    def transliterated(self) -> str:
        """A foreign name in Chinese characters."""
        kind = self.random.random()
        given, surname = self.random.choice(words.FOREIGN_GIVEN_ZH), self.random.choice(words.FOREIGN_SURNAME_ZH)
        if kind < 0.5:
            return f"{given}·{surname}"
        if kind < 0.58:
            return f"{given}·{self.random.choice(words.FOREIGN_GIVEN_ZH)}·{surname}"
        return surname if kind < 0.78 else given if kind < 0.86 else self.random.choice(words.JAPANESE_ZH)

    def romanised(self) -> str:
        """A Chinese name in Latin letters, in one of the usual orders and spellings."""
        surname, spellings, given, pinyin = self.chinese_parts()
        kind = self.random.random()
        if kind < 0.3:
            return f"{pinyin.capitalize()} {spellings[0]}"
        if kind < 0.6:
            return f"{spellings[0]} {pinyin.capitalize()}"
        if kind < 0.75:
            return f"{self.random.choice(ENGLISH_GIVEN)} {self.random.choice(spellings)}"
        other = self.random.choice(given_characters())[1]
        if kind < 0.85:
            return f"{self.random.choice(spellings)} {pinyin.capitalize()} {other.capitalize()}"
        if kind < 0.93:
            return f"{self.random.choice(spellings)} {pinyin.capitalize()}-{other}"
        return f"{spellings[0].upper()} {pinyin.capitalize()}"

    def english(self) -> str:
        """A full name in Latin letters of any origin."""
        return self.romanised() if self.random.random() < 0.22 else self.random.choice(english_names())

    def english_written(self) -> str:
        """A full name as people type it."""
        name = self.english()
        kind = self.random.random()
        words = name.split()
        if kind < 0.60:
            return name
        if kind < 0.70:
            return f"{self.random.choice(HONORIFICS)} {name if self.random.random() < 0.4 else words[-1]}"
        if kind < 0.78:
            return name.lower()
        if kind < 0.84:
            return name.upper()
        if kind < 0.88:
            return f"{words[-1]}, {' '.join(words[:-1])}"
        if kind < 0.92:
            return f"{words[0][0]}. {words[-1]}"
        if kind < 0.96:
            return f"{words[0]} {self.random.choice('ABCDEFGHJKLMPRSTW')}. {words[-1]}"
        return words[0]

    def english_first(self) -> str:
        name = self.random.choice(english_names()).split()[0] if self.random.random() < 0.75 else self.random.choice(ENGLISH_GIVEN)
        return name.lower() if self.random.random() < 0.12 else name

    def file_stem(self) -> str:
        """A name as it stands in a file name: zhang_wei, SmithJohn, li.xiaofeng."""
        if self.random.random() < 0.5:
            _, spellings, _, pinyin = self.chinese_parts()
            first, last = pinyin, spellings[0].lower().replace("ü", "lv").replace("-", "")
        else:
            words = [word for word in self.random.choice(english_names()).lower().split() if word.isalpha()] or ["anna", "berg"]
            first, last = words[0], words[-1]
        pair = (last, first) if self.random.random() < 0.5 else (first, last)
        style = self.random.random()
        if style < 0.45:
            return "_".join(pair)
        if style < 0.65:
            return "-".join(pair)
        if style < 0.85:
            return "".join(part.capitalize() for part in pair)
        return ".".join(pair)

    def handle(self) -> str:
        """A user name on some platform."""
        random = self.random
        words = "sunny blue moon cat coffee night pixel ocean lucky tiger panda noodle storm lemon mint dusty neon".split()
        _, spellings, _, pinyin = self.chinese_parts()
        first = random.choice(english_names()).split()[0].lower()
        first = "".join(c for c in first if c.isascii() and c.isalpha()) or "sam"
        number = random.choice([str(random.randint(1, 99)), str(random.randint(1970, 2008)), f"{random.randint(0, 999):03d}", ""])
        return random.choice(
            [
                f"{first}{number}",
                f"{first}_{random.choice(words)}{number}",
                f"{random.choice(words)}.{first}",
                f"{spellings[0].lower().replace('ü', 'v')}{pinyin}{number}",
                f"{pinyin}_{number or 7}",
                f"{random.choice(words)}{random.choice(words)}{number}",
                f"the_real_{first}",
                f"{pinyin[0]}{spellings[0][0].lower()}{random.randint(100, 99999)}",
                f"wxid_{''.join(random.choices('abcdefghijkmnpqrstuvwxyz0123456789', k=12))}",
                f"x{first.capitalize()}x{number}",
            ]
        )

    def birth_english(self) -> str:
        random, year = self.random, self.random.randint(1938, 2019)
        month, day = random.randint(1, 12), random.randint(1, 28)
        names = "January February March April May June July August September October November December".split()
        name = names[month - 1]
        suffix = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd"}.get(day, "th")
        return random.choice(
            [
                f"{day} {name} {year}",
                f"{name} {day}, {year}",
                f"{name} {day}{suffix}, {year}",
                f"the {day}{suffix} of {name} {year}",
                f"{month:02d}/{day:02d}/{year}",
                f"{day:02d}/{month:02d}/{year}",
                f"{year}-{month:02d}-{day:02d}",
                f"{day}.{month}.{year}",
                f"{name[:3]} {day} {year}",
                f"{day}-{name[:3].upper()}-{year}",
                f"{month}/{day}/{year % 100:02d}",
                f"{name} {year}",
            ]
        )

    def birth_chinese(self) -> str:
        random, year = self.random, self.random.randint(1938, 2019)
        month, day = random.randint(1, 12), random.randint(1, 28)
        digits = "〇一二三四五六七八九"
        return random.choice(
            [
                f"{year}年{month}月{day}日",
                f"{year}年{month}月{day}日",
                f"{year}年{month}月",
                f"{year}.{month}.{day}",
                f"{year}-{month:02d}-{day:02d}",
                f"{year}/{month}/{day}",
                f"{year % 100:02d}年{month}月{day}号",
                f"{year}{month:02d}{day:02d}",
                "".join(digits[int(d)] for d in str(year)) + f"年{month}月{day}日",
                f"农历{month}月{random.choice(['初三', '十五', '廿二', '初八'])}",
                f"{month}月{day}号",
            ]
        )


TITLES_EN = """
CEO|CFO|CTO|Chief Operating Officer|Head of Sales|Head of People|VP Engineering|Vice President of Marketing|Senior Software Engineer|Staff Engineer|Data Scientist|Product Manager|Account Executive|Key Account Manager|HR Business Partner|
Payroll Specialist|Office Manager|Financial Controller|Treasury Analyst|General Counsel|Paralegal|Nurse Practitioner|Attending Physician|Regional Director|Plant Manager|Procurement Lead|Customer Success Manager|Warehouse Supervisor|
QA Lead|Site Reliability Engineer|UX Designer|Executive Assistant|Company Secretary|Compliance Officer|Research Associate|Managing Director|Partner|Intern|Team Lead|Solutions Architect
""".replace("\n", "").split("|")

TITLES_ZH = """
总经理|副总经理|董事长|财务总监|人力资源总监|技术总监|首席执行官|首席财务官|首席技术官|销售经理|区域销售总监|产品经理|项目经理|高级工程师|软件工程师|算法工程师|架构师|测试主管|运维工程师|行政主管|会计|出纳|采购经理|法务经理|法务总监|
市场部经理|品牌总监|客户经理|大客户经理|客服主管|车间主任|生产厂长|仓库主管|质量经理|研发总监|实习生|董事会秘书|监事|合伙人|主治医师|护士长|副教授|班主任|办公室主任|运营总监|薪酬专员|招聘经理|人事专员|主任科员|党委书记
""".replace("\n", "").split("|")
